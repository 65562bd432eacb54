"""Synthetic but realistic data of a cifar-energy run, for the figures and the page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from memspice.analysis.cmos import LIKE_FOR_LIKE, OPPONENTS, PAPERS, SCOPES
from memspice.analysis.merit import PARTS, LayerArea, layouts, synaptic_operations
from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.experiment.merit import load_area_rule
from memspice.experiment.results.merit import Merit
from memspice.parameters import load_parameter_set

LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "conv6", "dense")
#: Share of each component in a convolution's energy.
SHARES = (0.018, 0.074, 0.47, 0.31, 0.052, 0.026, 2e-5, 0.05)
TOTALS = (610e-9, 1.48e-6, 720e-9, 1.21e-6, 590e-9, 830e-9, 3.1e-9)


def example_energy() -> dict[str, dict[str, float]]:
    """Joules per inference by layer and component; the last layer has no neurons."""
    energy = {}
    for number, (layer, total) in enumerate(zip(LAYERS, TOTALS, strict=True)):
        tilt = 1 + 0.25 * np.sin(number + np.arange(len(SHARES)))
        parts = np.array(SHARES) * tilt * ([1, 1, 1, 0, 0, 0, 0, 1] if layer == "dense" else 1)
        parts *= total / parts.sum()
        energy[layer] = dict(zip(NETWORK_COMPONENTS, parts.tolist(), strict=True))
    return energy


def example_rates() -> dict[str, tuple[float, float, float]]:
    rng = np.random.default_rng(3)
    rates = {}
    for layer in LAYERS[:-1]:
        rate, error = rng.uniform(0.08, 0.35), rng.uniform(0.002, 0.008)
        rates[layer] = (rate, rate + error * rng.normal(), error)
    return rates


def example_raster(cycles: int = 32, neurons: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Spikes (cycles, neurons) and the probability of each neuron."""
    rng = np.random.default_rng(7)
    probability = -np.expm1(-np.exp(rng.normal(-1.6, 1.4, neurons)))
    return rng.random((cycles, neurons)) < probability, probability


def example_waveform() -> tuple[np.ndarray, dict[str, np.ndarray], list[tuple[str, float, float]]]:
    """Two cycles of a fast memristor: it switches in the first only."""
    cycle, ns = 258e-9, 1e-9
    limits = (
        ("write", 11 * ns, 113 * ns),
        ("read", 119 * ns, 141 * ns),
        ("reset", 146 * ns, 248 * ns),
    )
    time = np.linspace(0, 2 * cycle, 2400)
    phases = [(n, a + k * cycle, b + k * cycle) for k in range(2) for n, a, b in limits]
    signals = {"threshold": np.where(time < cycle, 0.62, 1.7)}
    signals |= {
        name: np.zeros_like(time) for name in ("drive", "device", "hazard", "state", "spike")
    }
    for k, (drive, draw) in enumerate(((1.22, 0.62), (1.14, 1.7))):
        now = time - k * cycle
        here = (now >= 0) & (now <= cycle)
        signals["drive"] += drive * np.clip(now / (8 * ns), 0, 1) * (now < 114 * ns) * here
        rate = np.exp((drive - 1.2) / 0.156) * np.log(2) * 1.8 / (100 * ns)
        grown = np.clip(now - 12 * ns, 0, 100 * ns) * rate * (now < 228 * ns)
        signals["hazard"] += grown * here
        state = here & (grown >= draw) & (now < 150 * ns)
        signals["state"] += state
        write, read, reset = ((now > a) & (now < b) & here for _, a, b in limits)
        share = np.where(signals["state"] > 0, 0.5, 1.0)
        signals["device"] += write * drive * share + read * 0.4 * share
        signals["device"] -= reset * (k == 0) * 2.0 * share
        signals["spike"] += (grown.max() >= draw) * here * ((now > 130 * ns) & (now < 230 * ns))
    return time, signals, phases


def example_drop(rows: int = 128, cols: int = 128) -> np.ndarray:
    """Relative cell voltages: they fall along the row and towards the top of the column."""
    row, col = np.mgrid[rows:0:-1, 1 : cols + 1]
    grain = np.random.default_rng(1).uniform(0.9, 1.1, (rows, cols))
    return 1 - 1.5e-2 * (0.2 + 0.45 * (col / cols) ** 0.8 + 0.35 * (row / rows) ** 0.8) * grain


def example_events(count: int = 4000) -> dict[str, np.ndarray]:
    """Arguments of the pathwise figure, a few of them on different sides of the threshold."""
    rng = np.random.default_rng(5)
    hazard = np.exp(rng.normal(-1.2, 1.6, count))
    thresholds = rng.exponential(size=count)
    thresholds[:40] = hazard[:40] * (1 + rng.uniform(-0.04, 0.04, 40))
    thresholds[:3] = hazard[:3] * (1 + np.array([2e-4, -3e-4, 1e-4]))
    spice = hazard * (1 + rng.normal(3e-4, 4e-4, count))
    spice[:3] = hazard[:3] * (1 + np.array([9e-4, -8e-4, 7e-4]))
    return {
        "surrogate_hazard": hazard,
        "spice_hazard": spice,
        "thresholds": thresholds,
        "spikes_surrogate": hazard >= thresholds,
        "spikes_spice": spice >= thresholds,
    }


def example_iterations() -> list[dict[str, Any]]:
    energies = ((5.02e-6, 0.31e-6), (5.41e-6, 0.22e-6), (5.443e-6, 0.19e-6))
    accuracies, rates = (0.846, 0.851, 0.851), (0.1931, 0.1988, 0.1989)
    margins, misses = (0.0121, 6.1e-4, 4.0e-4), (11, 2, 1)
    return [
        {
            "iteration": k, "snn_accuracy": accuracies[k], "energy_joule": energy,
            "energy_ci95": [energy - half, energy + half], "mean_rate": rates[k],
            "mismatches": misses[k], "worst_margin": margins[k], "windows": 96,
        }
        for k, (energy, half) in enumerate(energies)
    ]  # fmt: skip


def example_ratio(value: float, low: float = 0.5, high: float = 2.0) -> dict[str, Any]:
    """A ratio with all that stands beside it; ends of its sensitivity as factors."""
    return {
        "value": value, "low": 0.96 * value, "high": 1.04 * value,
        "sensitivity": {
            "low": {"value": low * value, "change": "amplifier bandwidth at twice"},
            "high": {"value": high * value, "change": "sums of 32 bit"},
        },
        "assumed_fraction": 0.91, "opponent_assumed_fraction": 0.02,
    }  # fmt: skip


def example_table(ratio: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Ratios of a summary, like for like and as the papers count, by scope and opponent."""
    items = {
        scope: {name: example_ratio(value) for name, value in ratios.items()}
        for scope, ratios in ratio.items()
    }
    return {
        "ratio": {scope: {name: items[scope][name] for name in LIKE_FOR_LIKE} for scope in SCOPES},
        PAPERS: {scope: items[scope][PAPERS] for scope in SCOPES},
        "opponents": {name: opponent.words for name, opponent in OPPONENTS.items()},
    }


def example_merit(energy: float) -> Merit:
    """Figures of merit of two layers."""
    area = dict(zip(PARTS, (1e-9, 2e-8, 3e-8, 1e-10), strict=True))
    layers = [LayerArea(1024, area, 6e-6), LayerArea(16, area, 6e-6)]
    operations = synaptic_operations(macs=38.7e6, adds=2e8, products=9e5, cycles=32)
    return Merit(operations, energy, 150e-9, layouts(layers, 10.2e-6), load_area_rule().provenance)


def example_summary(dataset: str = "cifar10") -> dict[str, Any]:
    """All that ``summary.json`` holds, and what a report needs."""
    energy = example_energy()
    parts = {name: sum(layer[name] for layer in energy.values()) for name in NETWORK_COMPONENTS}
    total = sum(parts.values())
    small = dataset == "cifar10-foolbox20"
    memristive = {"neuron": 2.1e-6, "neuron_synapse": total - 0.1e-6, "system": total}
    cmos = {
        "neuron": dict(zip(OPPONENTS, (1.73e-6, 1.73e-6, 0.1e-6, 1.73e-6), strict=True)),
        "neuron_synapse": dict(zip(OPPONENTS, (15e-6, 4.5e-6, 9e-6, 24.6e-6), strict=True)),
        "system": dict(zip(OPPONENTS, (17e-6, 27e-6, 9.2e-6, 148e-6), strict=True)),
    }
    ratios = {s: {n: joule / memristive[s] for n, joule in cmos[s].items()} for s in cmos}
    return {
        "dataset": {
            "name": dataset,
            "images": 20 if small else 10_000,
            "lossless": None if small else True,
            "source": "the first 20 CIFAR-10 test images, from PNG files in the package foolbox "
            "3.3.4 (the download could not be reached)"
            if small
            else "CIFAR-10 test images, official binary version, MD5 of the archive verified",
        },
        "network": "cifar10-cnn",
        "device": "fast-memristor",
        "cycles": 32,
        "burst": 8,
        "latency_seconds": 10.2e-6,
        "seed": 1,
        "command": "memspice cosim --images 10000 --burst 8 --seed 1 --out results/run",
        "engine": {"name": "ngspice", "version": "39.3"},
        "ann_accuracy": {"value": 0.9, "n": 20, "low": 0.699, "high": 0.972}
        if small
        else {"value": 0.8642, "n": 10_000, "low": 0.8574, "high": 0.8708},
        "snn_accuracy": {"value": 0.85, "n": 20, "low": 0.640, "high": 0.948}
        if small
        else {"value": 0.8514, "n": 10_000, "low": 0.8443, "high": 0.8582},
        "spike_rate": {layer: values[0] for layer, values in example_rates().items()},
        "energy_per_inference_joule": parts,
        "energy_by_layer_joule": energy,
        "energy_total_joule": {
            "value": total, "low": 0.965 * total, "high": 1.035 * total,
            "interval": "95 %, sampling of windows only",
            "model_low": 0.4 * total, "model_high": 1.9 * total,
        },
        "assumed_fraction": 0.91,
        "device_source": "what-if",
        "sense_split_joule": {"quiescent": 0.6 * parts["sense"], "bit_lines": 0.4 * parts["sense"]},
        "cmos_baseline_joule": cmos,
        "memristive_joule": memristive,
        **example_table(ratios),
        "verdict": {"holds": True, "doubts": []},
        "cmos_constants": example_constants(),
        "spice": example_spice(),
        "iterations": example_iterations(),
        "parameters": example_parameters(),
        "notes": [],
        "excluded": [
            "row decoders, clock distribution and the controller between layers",
            "programming of the synapse devices (once, before inference)",
            "moving spikes between tiles beyond the 10 fF spike line of each neuron",
            "input images: fetching and converting them to row voltages",
        ],
        "left_out_joule": {"routing of spikes between tiles": 120e-9, "clocks": 30e-9},
        **example_merit(total).as_json(),
        "versions": {
            "memspice": "0.1.0", "ngspice": "39.3", "numpy": "2.4.6", "python": "3.11.2",
            "PySpice": "1.5", "weights": "sha256 5b1f0c77a3d1",
        },
        "wall_seconds": 412.7,
    }  # fmt: skip


def example_constants() -> list[dict[str, Any]]:
    rows = (
        ("decision", "clock", 21e-15, "J", "D", "simulated"),
        ("cmos", "add_8bit", 30e-15, "J", "S", "Horowitz, ISSCC 2014, 45 nm, 0.9 V"),
        ("cmos", "weight_fetch", 1.25e-12, "J", "R", "8 of 64 bit of 8 KB SRAM, Horowitz 2014"),
        ("cmos", "weight_reuse", 256, "1", "A", "weight-stationary"),
        ("converters", "input_conversion", 3.1e-12, "J", "R", "ISAAC"),
        ("converters", "output_conversion", 1.56e-12, "J", "D", "ISAAC"),
    )
    keys = ("table", "name", "value", "unit", "label", "source")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def example_spice() -> dict[str, Any]:
    layers = {
        layer: {
            "windows": 16 if layer != "dense" else 20,
            "full_windows": 1 if layer in ("conv1", "dense") else 0,
            "events": 0 if layer == "dense" else 16 * 32 * 32 * (1 + k // 2),
            "mismatches": int(layer == "conv4"),
            "worst_margin": 4.0e-4 if layer == "conv4" else 0.0,
            "closure_max": 1.1e-5 * (1 + k),
        }
        for k, layer in enumerate(LAYERS)
    }
    return {
        "windows": sum(layer["windows"] for layer in layers.values()),
        "full_windows": 2,
        "events": sum(layer["events"] for layer in layers.values()),
        "mismatches": 1,
        "worst_margin": 4.0e-4,
        "closure_max": 7.7e-5,
        "hazard_deviation": 1.9e-3,
        "wall_seconds": 287.0,
        "layers": layers,
    }


def example_parameters() -> list[dict[str, Any]]:
    """Some of those of the set, as it has them."""
    rows = [asdict(item) for item in load_parameter_set("fast-memristor").provenance]
    kind = {"table": "sense", "name": "kind", "value": "transimpedance", "unit": "1", "label": "A",
            "source": "the other variant is resistive"}  # fmt: skip
    last = max(k for k, row in enumerate(rows) if row["table"] == "sense")
    return [*rows[: last + 1], kind, *rows[last + 1 :]]
