"""Trains the overlap network on sequences that train-overlap.ts made, and writes its weights.

    train.py FOLDER

FOLDER holds shape.json (windows, features, taps, units, results, epochs, seed and the makings' counts) and for each
making N: features-N.f32 [sequences][windows][features], weights-N.f32 [sequences][windows], labels-N.i32 [sequences].
It gets weights.f32, in the order that src/speech/overlap-network.ts says.
"""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from steps import mover

BATCH = 96
RATE_MAX = 3e-3
RISING_SHARE = 0.15
DECAY = 1e-2
DROPOUT = 0.25
SLOPE_MAX = 1.0
SCALE_FROM_WINDOWS = 40


def read_makings(folder, shape):
    for making, count in enumerate(shape["counts"]):
        yield (
            np.fromfile(folder / f"features-{making}.f32", np.float32).reshape(
                count, shape["windows"], shape["features"]
            ),
            np.fromfile(folder / f"weights-{making}.f32", np.float32).reshape(count, shape["windows"]),
            np.fromfile(folder / f"labels-{making}.i32", np.int32),
        )


def fresh(key, inputs, units, results):
    keys = jax.random.split(key, 4)

    def spread(which, rows, columns):
        return jax.random.normal(keys[which], (rows, columns)) / np.sqrt(rows)

    return {
        "convolution": spread(0, inputs, units),
        "convolution_bias": jnp.zeros(units),
        "input": spread(1, units, 3 * units),
        "input_bias": jnp.zeros(3 * units),
        "state": spread(2, units, 3 * units),
        "result": spread(3, units, results),
        "result_bias": jnp.zeros(results),
    }


def dropped(key, values, units):
    """The same units of a sequence in all of its windows."""
    kept = jax.random.bernoulli(key, 1 - DROPOUT, (values.shape[0], 1, units))
    return values * kept / (1 - DROPOUT)


def loss_of(weights, inputs, window_weights, labels, key):
    units = weights["state"].shape[0]
    of_hidden, of_state = jax.random.split(key)
    hidden = jax.nn.relu(inputs @ weights["convolution"] + weights["convolution_bias"])
    offered = dropped(of_hidden, hidden, units) @ weights["input"] + weights["input_bias"]

    def step(state, window):
        own = state @ weights["state"]
        reset = jax.nn.sigmoid(window[:, :units] + own[:, :units])
        update = jax.nn.sigmoid(window[:, units : 2 * units] + own[:, units : 2 * units])
        candidate = jnp.tanh(window[:, 2 * units :] + reset * own[:, 2 * units :])
        state = (1 - update) * candidate + update * state
        return state, state

    start = jnp.zeros((inputs.shape[0], units))
    _, states = jax.lax.scan(step, start, offered.transpose(1, 0, 2))
    states = dropped(of_state, states.transpose(1, 0, 2), units)
    scores = jax.nn.log_softmax(states @ weights["result"] + weights["result_bias"])
    losses = -jnp.take_along_axis(scores, labels[:, None, None], 2)[..., 0]
    return (losses * window_weights).sum() / inputs.shape[0]


def main(folder):
    shape = json.loads((folder / "shape.json").read_text())
    makings = list(read_makings(folder, shape))
    first = makings[0][0][:, :SCALE_FROM_WINDOWS].reshape(-1, shape["features"])
    heard = first[np.abs(first).sum(1) > 0]
    mean, scale = heard.mean(0), 1 / np.maximum(1e-3, heard.std(0))

    def inputs_of(features):
        """Each window after those before it, oldest first; before the first there is nothing."""
        scaled = np.pad((features - mean) * scale, ((0, 0), (shape["taps"] - 1, 0), (0, 0)))
        return np.concatenate([scaled[:, tap : tap + shape["windows"]] for tap in range(shape["taps"])], 2)

    steps = sum(len(makings[epoch % len(makings)][2]) // BATCH for epoch in range(shape["epochs"]))
    rate = optax.warmup_cosine_decay_schedule(0, RATE_MAX, int(RISING_SHARE * steps), steps)
    optimiser = optax.chain(optax.clip_by_global_norm(SLOPE_MAX), optax.adamw(rate, weight_decay=DECAY))
    key, own = jax.random.split(jax.random.PRNGKey(shape["seed"]))
    weights = fresh(own, shape["features"] * shape["taps"], shape["units"], shape["results"])
    state = optimiser.init(weights)
    move = mover(optimiser, loss_of)

    random = np.random.default_rng(shape["seed"])
    for epoch in range(shape["epochs"]):
        features, window_weights, labels = makings[epoch % len(makings)]
        order = random.permutation(len(labels))
        losses = []
        for at in range(0, len(order) - BATCH + 1, BATCH):
            some = order[at : at + BATCH]
            key, own = jax.random.split(key)
            weights, state, loss = move(
                weights, state, inputs_of(features[some]), window_weights[some], labels[some], own
            )
            losses.append(float(loss))
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)

    layout = [
        mean,
        scale,
        weights["convolution"].T,
        weights["convolution_bias"],
        weights["input"].T,
        weights["input_bias"],
        weights["state"].T,
        np.zeros(3 * shape["units"]),
        weights["result"].T,
        weights["result_bias"],
    ]
    np.concatenate([np.ravel(part) for part in layout]).astype(np.float32).tofile(folder / "weights.f32")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
