"""Trains the judge of words on frames that train-overlap-head.ts made, and writes its weights.

    train_head.py FOLDER

FOLDER holds shape.json (width, units, results, beginnings, parts, epochs, seed) and, for each utterance, places.i32
[utterances][beginnings][2] (first frame and how many), labels.i32, shares.f32 and parts.i32; the frames themselves are
in frames.f32 [frames][width]. It gets weights.f32, in the order that src/speech/overlap-head.ts says, and
scores.f32 [utterances][beginnings][results]: what each utterance is by a judge that was trained without its part.
"""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from steps import mover

BATCH = 128
RATE_MAX = 2e-3
DECAY = 5e-2
VALUE_DROPOUT = 0.2
POOLED_DROPOUT = 0.2
SPREAD_MIN = 1e-3
SPREAD_FRAMES = 20_000


def fresh(key, width, units, results):
    of_first, of_second = jax.random.split(key)
    return {
        "first": jax.random.normal(of_first, (width, units)) / np.sqrt(width),
        "first_bias": jnp.zeros(units),
        "second": jax.random.normal(of_second, (2 * units, results)) / np.sqrt(2 * units),
        "second_bias": jnp.zeros(results),
    }


def results_of(weights, frames, heard, keys=None):
    """frames [batch][frames][width] with mean 0 and spread 1; heard is 1 where there is a frame and 0 behind the last."""

    def dropped(key, values, share, shape):
        return values * jax.random.bernoulli(key, 1 - share, shape) / (1 - share)

    if keys is not None:
        frames = dropped(keys[0], frames, VALUE_DROPOUT, (frames.shape[0], 1, frames.shape[2]))
    units = jax.nn.relu(frames @ weights["first"] + weights["first_bias"]) * heard[:, :, None]
    pooled = jnp.concatenate([units.sum(1) / heard.sum(1)[:, None], units.max(1)], 1)
    if keys is not None:
        pooled = dropped(keys[1], pooled, POOLED_DROPOUT, pooled.shape)
    return pooled @ weights["second"] + weights["second_bias"]


def loss_of(weights, frames, heard, labels, shares, key):
    scores = jax.nn.log_softmax(results_of(weights, frames, heard, jax.random.split(key)))
    return -(shares * jnp.take_along_axis(scores, labels[:, None], 1)[:, 0]).mean()


class Material:
    def __init__(self, folder, shape):
        self.frames = np.memmap(folder / "frames.f32", np.float32, "r").reshape(-1, shape["width"])
        self.places = np.fromfile(folder / "places.i32", np.int32).reshape(-1, shape["beginnings"], 2)
        self.labels = np.fromfile(folder / "labels.i32", np.int32)
        self.shares = np.fromfile(folder / "shares.f32", np.float32)
        self.parts = np.fromfile(folder / "parts.i32", np.int32)
        self.longest = int(self.places[:, :, 1].max())
        random = np.random.default_rng(shape["seed"])
        some = np.sort(random.choice(len(self.frames), min(SPREAD_FRAMES, len(self.frames)), replace=False))
        self.mean = self.frames[some].mean(0)
        self.scale = 1 / np.maximum(SPREAD_MIN, self.frames[some].std(0))

    def batch(self, utterances, beginnings):
        frames = np.zeros((len(utterances), self.longest, self.frames.shape[1]), np.float32)
        heard = np.zeros((len(utterances), self.longest), np.float32)
        for row, (utterance, beginning) in enumerate(zip(utterances, beginnings)):
            first, count = self.places[utterance, beginning]
            frames[row, :count] = (self.frames[first : first + count] - self.mean) * self.scale
            heard[row, :count] = 1
        return frames, heard


def trained(material, utterances, shape):
    """Each epoch takes one of an utterance's beginnings."""
    rate = optax.linear_schedule(RATE_MAX, 0, shape["epochs"] * (len(utterances) // BATCH))
    optimiser = optax.adamw(rate, weight_decay=DECAY)
    key, own = jax.random.split(jax.random.PRNGKey(shape["seed"]))
    weights = fresh(own, shape["width"], shape["units"], shape["results"])
    state = optimiser.init(weights)
    move = mover(optimiser, loss_of)

    random = np.random.default_rng(shape["seed"])
    losses = []
    for _ in range(shape["epochs"]):
        order = random.permutation(utterances)
        losses.clear()
        for at in range(0, len(order) - BATCH + 1, BATCH):
            some = order[at : at + BATCH]
            key, own = jax.random.split(key)
            frames, heard = material.batch(some, random.integers(0, shape["beginnings"], BATCH))
            weights, state, loss = move(
                weights, state, frames, heard, material.labels[some], material.shares[some], own
            )
            losses.append(float(loss))
    print(f"trained on {len(utterances)}: loss {np.mean(losses):.4f}", flush=True)
    return weights


def judged(material, weights, utterances, shape):
    ask = jax.jit(lambda *heard: jax.nn.softmax(results_of(weights, *heard)))
    scores = np.zeros((len(utterances), shape["beginnings"], shape["results"]), np.float32)
    for beginning in range(shape["beginnings"]):
        for at in range(0, len(utterances), BATCH):
            some = utterances[at : at + BATCH]
            frames, heard = material.batch(some, [beginning] * len(some))
            scores[at : at + len(some), beginning] = ask(frames, heard)
    return scores


def main(folder):
    shape = json.loads((folder / "shape.json").read_text())
    material = Material(folder, shape)
    every = np.arange(len(material.labels))
    scores = np.zeros((len(every), shape["beginnings"], shape["results"]), np.float32)
    for part in range(shape["parts"]):
        left_out = every[material.parts == part]
        weights = trained(material, every[material.parts != part], shape)
        scores[left_out] = judged(material, weights, left_out, shape)
    scores.tofile(folder / "scores.f32")
    weights = trained(material, every, shape)
    layout = [
        material.mean,
        material.scale,
        weights["first"].T,
        weights["first_bias"],
        weights["second"].T,
        weights["second_bias"],
    ]
    np.concatenate([np.ravel(part) for part in layout]).astype(np.float32).tofile(folder / "weights.f32")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
