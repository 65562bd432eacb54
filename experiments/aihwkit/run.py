"""Whether aihwkit, given the export of a chip, finds the statistics of its circuits.

Claim: ``memspice export --to aihwkit`` writes configurations whose analog tiles have, with the same
weights and inputs, the gain, the noise and the accuracy that memspice finds for its circuits.  One
network on several chips of three devices: as it comes, with cells that spread by 10 %, with wires
of 20 ohm a cell.  In aihwkit each chip is programmed from its own configuration.
Every output's value is laid beside what its weights ask for; its line has a gain and an offset, and
the distance of its events from the line is its noise.

    pip install torch==2.10.0 aihwkit==1.1.0 .          # in an environment of its own
    python experiments/aihwkit/run.py

writes ``result.json`` beside this file, and the table of ``docs/export.md``.  Outside the tests:
aihwkit is large, and later releases of it and of PyTorch do not go together.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from aihwkit.inference.converter.conductance import SinglePairConductanceConverter
from aihwkit.inference.noise.custom import StateIndependentNoiseModel
from aihwkit.nn import AnalogLinearMapped
from aihwkit.simulator.configs import InferenceRPUConfig
from aihwkit.simulator.parameters import IOParameters, MappingParameter, enums

import memspice as ms

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # scripts, not a package
from readme import replace_block  # noqa: E402

NETWORK, CHIPS, IMAGES, CYCLES, SCORED = "digits-mlp", 8, 100, 8, 360
DEVICES: Mapping[str, Mapping[str, float]] = {
    "as it comes": {},
    "cells spread by 10 %": {"synapse.variation": 0.1},
    "wires of 20 ohm a cell": {
        "array.wire_resistance_row": 20.0,
        "array.wire_resistance_col": 20.0,
    },
}
#: Largest differences from memspice that count as reproduced.  Of the gain, absolute: the IR drop
#: of aihwkit goes with the current of each input, and rows have none; a twentieth of what wires of
#: 20 ohm take.  Of the noise, relative: eight chips of 10 outputs know it to 5 % each.  Of the
#: accuracy, absolute: two standard deviations of 360 images at 96 %.
TOLERANCE = {"gain": 0.005, "noise": 0.15, "accuracy": 0.02}


def rpu_config(parts: Mapping[str, Any]) -> InferenceRPUConfig:
    """Configuration of a tile, as ``docs/export.md`` has it."""
    forward, model = dict(parts["forward"]), dict(parts["noise_model"])
    for name, kind in {
        "w_noise_type": enums.WeightNoiseType,
        "bound_management": enums.BoundManagementType,
        "noise_management": enums.NoiseManagementType,
    }.items():
        forward[name] = kind[forward[name]]
    cells = model.pop("g_converter")
    converter = SinglePairConductanceConverter(g_max=cells["g_max"], g_min=cells["g_min"])
    model.pop("class")
    return InferenceRPUConfig(
        forward=IOParameters(**forward),
        mapping=MappingParameter(**parts["mapping"]),
        noise_model=StateIndependentNoiseModel(g_converter=converter, **model),
        drift_compensation=None,
    )


def analog_layer(weight: np.ndarray, bias: np.ndarray, parts: Mapping[str, Any]) -> Any:
    """Programmed analog layer."""
    outputs, inputs = weight.shape
    layer = AnalogLinearMapped(inputs, outputs, bias=True, rpu_config=rpu_config(parts))
    layer.set_weights(torch.tensor(weight, dtype=torch.float32), torch.tensor(bias).float())
    layer.eval()
    layer.program_analog_weights()
    return layer


def lines(asked: np.ndarray, found: np.ndarray, limits: tuple[float, float]) -> dict[str, float]:
    """Gain and noise of outputs, arrays (events, outputs); events beyond a limit do not count."""
    gains, squares, freedom = [], 0.0, 0
    for x, y in zip(asked.T, found.T, strict=True):
        inside = (x > limits[0]) & (x < limits[1])
        if np.count_nonzero(inside) < 3:
            continue
        fit = np.polyfit(x[inside], y[inside], 1)
        gains.append(fit[0])
        squares += float(np.sum((y[inside] - np.polyval(fit, x[inside])) ** 2))
        freedom += int(np.count_nonzero(inside)) - 2
    return {"gain": float(np.mean(gains)), "noise": (squares / freedom) ** 0.5}


def in_aihwkit(
    network: Any, content: Mapping[str, Any], images: ms.Images, seed: int
) -> dict[str, Any]:
    """Lines of both layers and the accuracy of one programmed chip."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    config = content["layers"]
    names = list(config)
    layers = {
        name: analog_layer(part.weight, part.bias, config[name]["rpu_config"])
        for name, part in zip(names, network.layers, strict=True)
    }
    pixels = images.x.reshape(len(images), -1)
    found: dict[str, Any] = {}

    def run(name: str, inputs: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            values = layers[name](torch.tensor(inputs, dtype=torch.float32)).double().numpy()
        part = network.layers[names.index(name)]
        asked, limits = inputs @ part.weight.T + part.bias, config[name]["after"]["clip"]
        found[name] = lines(asked[: IMAGES * CYCLES], values[: IMAGES * CYCLES], limits)
        return np.clip(values, *limits)

    probability = -np.expm1(-np.exp(run(names[0], pixels)))
    spikes = rng.random((CYCLES, *probability.shape)) < probability
    flat = spikes.swapaxes(0, 1).reshape(-1, probability.shape[1]).astype(float)
    scores = run(names[1], flat).reshape(len(images), CYCLES, -1).mean(axis=1)
    found["accuracy"] = float(np.mean(scores.argmax(axis=1) == images.y))
    return found


def in_memspice(chip: ms.Chip, images: ms.Images) -> tuple[dict[str, Any], ms.results.Export]:
    """Lines of both layers and the accuracy of one chip, and its export."""
    export = ms.export(chip, images[:IMAGES], cycles=CYCLES)
    found: dict[str, Any] = {
        layer.name: {"gain": float(np.nanmean(layer.array.gain)), "noise": layer.array.noise}
        for layer in export.layers
    }
    accuracy = chip.run(images, cycles=CYCLES).accuracy
    assert accuracy
    found["accuracy"] = accuracy.value
    return found, export


def mean_and_error(values: list[float]) -> dict[str, float]:
    """Mean over chips and its standard error."""
    return {
        "mean": float(np.mean(values)),
        "error": float(np.std(values, ddof=1) / np.sqrt(len(values))),
    }


def over_chips(chips: list[dict[str, Any]]) -> dict[str, Any]:
    """Each number with its error, layer by layer."""
    found: dict[str, Any] = {}
    for name, value in chips[0].items():
        each = [chip[name] for chip in chips]
        found[name] = over_chips(each) if isinstance(value, dict) else mean_and_error(each)
    return found


def compare(device: str, changes: Mapping[str, float]) -> dict[str, Any]:
    """One device in both tools."""
    chosen = ms.load_device("fast-memristor", "behavioural").change(**changes)
    images = ms.load_images("digits", "test")[:SCORED]
    own, exports = zip(
        *(in_memspice(ms.Chip(NETWORK, chosen, seed=seed), images) for seed in range(CHIPS)),
        strict=True,
    )
    network = ms.load_network(NETWORK)
    theirs = [
        in_aihwkit(network, json.loads(export.files_for("aihwkit")["aihwkit.json"]), images, seed)
        for seed, export in enumerate(exports)
    ]
    return {
        "device": device,
        "changes": dict(changes),
        "memspice": over_chips(list(own)),
        "aihwkit": over_chips(theirs),
    }


def rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a number: both tools, their difference, whether it is within its tolerance."""
    made = []
    for item in found:
        for name, mine in item["memspice"].items():
            theirs = item["aihwkit"][name]
            numbers = mine if "mean" not in mine else {"": mine}
            for what, value in numbers.items():
                kind = what or name
                other = theirs[what] if what else theirs
                off = other["mean"] - value["mean"]
                if kind == "noise":
                    off /= value["mean"]
                made.append(
                    {
                        "device": item["device"],
                        "what": f"{name} {what}".strip(),
                        "memspice": value,
                        "aihwkit": other,
                        "difference": off,
                        "tolerance": TOLERANCE[kind],
                        "within": abs(off) <= TOLERANCE[kind],
                    }
                )
    return made


def table(made: list[dict[str, Any]]) -> str:
    """Rows in columns."""
    lines = [("device", "", "memspice", "aihwkit", "difference", "tolerance")]
    for row in made:
        shown = [f"{row[k]['mean']:.4f} +- {row[k]['error']:.4f}" for k in ("memspice", "aihwkit")]
        relative = row["what"].endswith("noise")
        off = f"{100 * row['difference']:+.1f} %" if relative else f"{row['difference']:+.4f}"
        most = f"{100 * row['tolerance']:.0f} %" if relative else f"{row['tolerance']:g}"
        verdict = "" if row["within"] else "  beyond"
        lines.append((row["device"], row["what"], *shown, off, most + verdict))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def main() -> None:
    """Run both tools and write what they found."""
    found = [compare(device, changes) for device, changes in DEVICES.items()]
    made = rows(found)
    content = {
        "network": NETWORK, "chips": CHIPS, "images": SCORED, "images_of_lines": IMAGES,
        "cycles": CYCLES, "rows": made,
        "versions": {
            name: importlib.metadata.version(name) for name in ("memspice", "aihwkit", "torch")
        },
    }  # fmt: skip
    (HERE / "result.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(table(made) + "\n")
    replace_block("aihwkit", table(made), HERE.parents[1] / "docs" / "export.md")


if __name__ == "__main__":
    main()
