"""The one step that all trainings here repeat."""

import jax
import optax


def mover(optimiser, loss_of):
    """A function of weights, the optimiser's state and a batch, to both after one step and the loss before it."""

    @jax.jit
    def move(weights, state, *batch):
        loss, slopes = jax.value_and_grad(loss_of)(weights, *batch)
        updates, state = optimiser.update(slopes, state, weights)
        return optax.apply_updates(weights, updates), state, loss

    return move
