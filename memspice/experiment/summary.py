"""Numbers of a co-simulation as ``summary.json`` holds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from memspice.analysis.statistics import accuracy_json
from memspice.engines.base import EngineInfo
from memspice.experiment.against_cmos import CmosConstants, comparison_json
from memspice.experiment.cosim import CosimState, Iteration
from memspice.experiment.operations import converter_energy
from memspice.network.ann import ann_scores
from memspice.store import installed_versions
from memspice.windows.setup import Prepared, dataset_json, engine_record

#: What the joules of a summary leave out.
EXCLUDED = (
    "gates of the row drivers, and word and bit lines where the set has no wire capacitance",
    "distribution of the control pulses, clocks and routing of spikes between tiles",
    "leakage of periphery that is switched off",
    "non-linearity of cells, although bias rows may stand at several times the read voltage",
    "programming of the weights",
    "on the CMOS side: registers, accumulators, routing, clocks of the adders, leakage of "
    "memories; a graded pooled input counts as one addition",
)


def ann_accuracy(
    prepared: Prepared, progress: Callable[[int], None] | None = None
) -> dict[str, float] | None:
    """Accuracy of the network with the device's activation, without any circuit."""
    scores = ann_scores(prepared.network, prepared.dataset.x, progress)
    return accuracy_json(scores, prepared.dataset.y)


def summary_json(
    prepared: Prepared,
    state: CosimState,
    constants: CmosConstants,
    engine: EngineInfo,
    wall_seconds: float,
) -> dict[str, Any]:
    """Everything a co-simulation found, as one JSON object."""
    last = state.iterations[-1]
    converters = converter_energy(prepared, state, constants.converters.values)
    layers = {
        name: {**layer.components, "converter": converters[name][0]}
        for name, layer in last.energy.items()
    }
    components = {
        name: sum(layer[name] for layer in layers.values()) for name in next(iter(layers.values()))
    }
    return {
        "dataset": dataset_json(prepared),
        "notes": [*prepared.notes, *_doubts(state)],
        "network": prepared.network.name,
        "device": prepared.mapped.parameter_set.name,
        "cycles": prepared.setup.cycles,
        "seed": prepared.setup.seed,
        "ann_accuracy": ann_accuracy(prepared),
        "snn_accuracy": asdict(last.snn_accuracy) if last.snn_accuracy else None,
        "spike_rate": last.inference.spike_rate,
        "energy_per_inference_joule": components,
        "energy_by_layer_joule": layers,
        **comparison_json(prepared, state, constants, components, converters),
        "cmos_constants": [asdict(item) for item in constants.provenance],
        "spice": _spice_json(state),
        "verdict": state.verdict().as_json(),
        "settled": state.settled,
        "iterations": [_iteration_json(item, components["converter"]) for item in state.iterations],
        "calibration": {name: item._asdict() for name, item in state.calibration.items()},
        "parameters": [asdict(item) for item in prepared.mapped.parameter_set.provenance],
        "excluded": list(EXCLUDED),
        "engine": engine_record(engine),
        "versions": {**installed_versions(), engine.name: engine.version},
        "wall_seconds": wall_seconds,
    }


def _doubts(state: CosimState) -> list[str]:
    """Why SPICE is not to be relied on, and what stands in its place."""
    doubts = state.verdict().doubts
    instead = ["no number is calibrated by SPICE: energies and rates are those of the closed form"]
    return [*doubts, *instead] if doubts else []


def _spice_json(state: CosimState) -> dict[str, Any]:
    layers = {}
    for name in dict.fromkeys(job.window.layer for job in state.jobs):
        layers[name] = _layer_json(state, name)
    last = state.iterations[-1].comparison
    return {
        "windows": sum(item["windows"] for item in layers.values()),
        "full_windows": sum(item["full_windows"] for item in layers.values()),
        "events": last.events,
        "mismatches": last.mismatches,
        "worst_margin": last.worst_margin,
        "hazard_deviation": last.hazard_deviation,
        "closure_max": max(item["closure_max"] for item in layers.values()),
        "wall_seconds": sum(result.wall_seconds for result in state.outcomes),
        "layers": layers,
    }


def _layer_json(state: CosimState, name: str) -> dict[str, Any]:
    pairs = state.of_layer(name)
    windows = {(job.window, job.fidelity) for job, _ in pairs}
    verdict = state.verdict(name)
    comparison = verdict.pathwise
    return {
        "windows": len(windows),
        "full_windows": sum(fidelity.exact for _, fidelity in windows),
        "events": comparison.events,
        "mismatches": comparison.mismatches,
        "worst_margin": comparison.worst_margin,
        "closure_max": verdict.closure,
    }


def _iteration_json(item: Iteration, converters: float) -> dict[str, Any]:
    total, half = item.energy_total + converters, item.half_width
    rates = item.inference.spike_rate
    return {
        "iteration": item.number,
        "snn_accuracy": item.snn_accuracy.value if item.snn_accuracy else None,
        "energy_joule": total,
        "energy_ci95": [total - half, total + half],
        "mean_rate": float(np.mean(list(rates.values()))) if rates else 0.0,
        "mismatches": item.comparison.mismatches,
        "worst_margin": item.comparison.worst_margin,
        "windows": item.windows,
    }
