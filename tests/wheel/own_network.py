"""A person's own images, network and measured points, without anything of memspice's.

Writes into the current folder ``train.npz`` and ``test.npz`` (three classes of 12 x 12 images:
stripes across, stripes down, checks, each somewhere else and in noise), ``own.nir`` (a network
144-16-3 trained on the first with NumPy) and ``points.csv`` (pulses on a device of a known law).
"""

from __future__ import annotations

import nir
import numpy as np

SIDE, CLASSES, HIDDEN = 12, 3, 16
#: The device behind the points: voltage that raises the rate e times [V], mean time at 0 V [s].
V0, TAU0 = 0.12, 2e-3


def images(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, 1, 12, 12) in [0, 1], and their classes."""
    labels = rng.integers(0, CLASSES, count)
    row, col = np.mgrid[:SIDE, :SIDE]
    across, down = (row // 2) % 2, (col // 2) % 2
    patterns = np.stack([across, down, across ^ down])
    shifts = rng.integers(0, 4, (count, 2))
    pixels = np.stack(
        [np.roll(patterns[k], shift, (0, 1)) for k, shift in zip(labels, shifts, strict=True)]
    )
    noisy = 0.15 + 0.7 * pixels + rng.normal(0, 0.1, pixels.shape)
    return np.clip(noisy, 0, 1)[:, None], labels


def train(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Weights and biases of both layers; a hidden unit is on with P = 1 - exp(-exp(z))."""
    w1, b1 = rng.normal(0, 0.1, (HIDDEN, x.shape[1])), np.zeros(HIDDEN)
    w2, b2 = rng.normal(0, 0.3, (CLASSES, HIDDEN)), np.zeros(CLASSES)
    parameters = [w1, b1, w2, b2]
    speed = [np.zeros_like(each) for each in parameters]
    for _ in range(300):
        z = np.clip(x @ w1.T + b1, -6, 2)
        hidden = -np.expm1(-np.exp(z))
        scores = hidden @ w2.T + b2
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        error = odds / odds.sum(axis=1, keepdims=True) - np.eye(CLASSES)[y]
        back = (error @ w2) * np.exp(z - np.exp(z))
        slopes = [back.T @ x, back.sum(axis=0), error.T @ hidden, error.sum(axis=0)]
        for each, moved, slope in zip(parameters, speed, slopes, strict=True):
            moved *= 0.9
            moved -= 0.5 / len(x) * slope
            each += moved
    return parameters


def write_network(w1: np.ndarray, b1: np.ndarray, w2: np.ndarray, b2: np.ndarray) -> None:
    """Network as a NIR graph; its threshold says that it is that of Gumbel noise."""
    mark = {"memspice_activation": "complementary-log-log"}
    nodes = {
        "input": nir.Input({"input": np.array([1, SIDE, SIDE])}),
        "flat": nir.Flatten({"input": np.array([1, SIDE, SIDE])}, 0, -1),
        "hidden": nir.Affine(w1, b1),
        "spikes": nir.Threshold(np.zeros(HIDDEN), metadata=mark),
        "scores": nir.Affine(w2, b2),
        "output": nir.Output({"output": np.array([CLASSES])}),
    }
    names = list(nodes)
    nir.write("own.nir", nir.NIRGraph(nodes, list(zip(names[:-1], names[1:], strict=True))))


def write_points(rng: np.random.Generator) -> None:
    """Points of 100 pulses each, two lengths."""
    lines = ["voltage,pulse_width,switched,trials"]
    for width in (1e-7, 3e-7):
        middle = V0 * np.log(TAU0 / width)
        for voltage in middle + V0 * np.linspace(-2.5, 1.2, 8):
            chance = -np.expm1(-np.exp(voltage / V0) * width / TAU0)
            lines.append(f"{voltage:.6f},{width:g},{rng.binomial(100, chance)},100")
    with open("points.csv", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main() -> None:
    """Write all of it."""
    rng = np.random.default_rng(12)
    x, y = images(600, rng)
    np.savez("train.npz", x=x, y=y)
    held_back, classes = images(60, rng)
    np.savez("test.npz", x=held_back, y=classes)
    write_network(*train(x.reshape(len(x), -1), y, rng))
    write_points(rng)


if __name__ == "__main__":
    main()
