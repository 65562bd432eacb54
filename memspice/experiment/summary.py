"""Numbers of a co-simulation as ``summary.json`` holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from memspice.analysis.cmos import (
    SCOPES,
    CmosOperations,
    NeuronDecision,
    Workload,
    cmos_energy,
    memristive_energy,
)
from memspice.analysis.extrapolation import LayerEnergy
from memspice.analysis.statistics import Proportion, accuracy
from memspice.circuits.energy_model import COMPONENTS
from memspice.engines.base import EngineInfo
from memspice.experiment.cosim import CosimState, Iteration
from memspice.experiment.scopes import active_inputs, adds_half_width, memristive_intervals
from memspice.experiment.setup import Prepared, dataset_json, engine_record
from memspice.network.inference import ann_scores
from memspice.parameters import SourcedParameters
from memspice.store import installed_versions

#: What the joules of a summary leave out.
EXCLUDED = (
    "converters that drive rows at graded levels (pixels of the first layer, pooled spikes) and "
    "that read the scores of the last layer",
    "charging of gates, and of word and bit lines where the set has no wire capacitance",
    "distribution of the control pulses, clocks and routing of spikes between tiles",
    "leakage of periphery that is switched off",
    "non-linearity of cells, although bias rows may stand at several times the read voltage",
    "re-use of fetched weights by the CMOS counterpart, which would lower its system figure: each "
    "addition fetches its weight from SRAM; a graded pooled input counts as one addition",
    "programming of the weights",
)


def ann_accuracy(prepared: Prepared, progress: Callable[[int], None] | None = None) -> Proportion:
    """Accuracy of the network with the device's activation, without any circuit."""
    scores = ann_scores(prepared.network, prepared.dataset.images, progress)
    return accuracy(scores, prepared.dataset.labels)


def summary_json(
    prepared: Prepared,
    state: CosimState,
    cmos: SourcedParameters[CmosOperations],
    decision: SourcedParameters[NeuronDecision],
    engine: EngineInfo,
    wall_seconds: float,
) -> dict[str, Any]:
    """Everything a co-simulation found, as one JSON object."""
    last = state.iterations[-1]
    components = _components(last.energy)
    half_width = last.half_width
    total = sum(components.values())
    work = workload(prepared, state)
    baseline = cmos_energy(cmos.values, work, decision.values.energy())
    own = memristive_energy(components)
    provenance = [*prepared.mapped.parameter_set.provenance]
    return {
        "dataset": dataset_json(prepared),
        "notes": [*prepared.notes, *_doubts(state)],
        "network": prepared.network.name,
        "device": prepared.mapped.parameter_set.name,
        "cycles": prepared.setup.cycles,
        "seed": prepared.setup.seed,
        "ann_accuracy": asdict(ann_accuracy(prepared)),
        "snn_accuracy": asdict(last.snn_accuracy),
        "spike_rate": last.inference.spike_rate,
        "energy_per_inference_joule": {
            **components,
            "total": total,
            "ci95": [total - half_width, total + half_width],
        },
        "energy_by_layer_joule": {
            name: {**layer.components, "total": layer.total} for name, layer in last.energy.items()
        },
        "cmos_baseline_joule": baseline,
        "cmos_quoted_joule": cmos_energy(cmos.values, work),
        "workload": asdict(work),
        "adds_half_width": adds_half_width(prepared, state),
        "memristive_joule": own,
        "memristive_ci95": memristive_intervals(prepared, state),
        "ratio": {scope: baseline[scope] / own[scope] for scope in SCOPES},
        "cmos_constants": [_sourced(item) for item in (*cmos.provenance, *decision.provenance)],
        "spice": _spice_json(state),
        "verdict": state.verdict().as_json(),
        "settled": state.settled,
        "iterations": [_iteration_json(item) for item in state.iterations],
        "calibration": {name: item._asdict() for name, item in state.calibration.items()},
        "parameters": [{"table": item.table, **_sourced(item)} for item in provenance],
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


def _components(energy: Mapping[str, LayerEnergy]) -> dict[str, float]:
    return {name: sum(layer.components[name] for layer in energy.values()) for name in COMPONENTS}


def _sourced(item: Any) -> dict[str, Any]:
    return {key: getattr(item, key) for key in ("name", "value", "unit", "label", "source")}


def workload(prepared: Prepared, state: CosimState) -> Workload:
    """Digital operations of one inference, from the inputs of the sampled windows."""
    cycles, events, adds, products = prepared.setup.cycles, 0.0, 0.0, 0.0
    for layer in prepared.mapped.layers:
        if layer.spiking:
            events += layer.positions * layer.outputs * cycles
        if layer.number == 0:  # the same pixels in every cycle: a sensible design multiplies once
            products += layer.positions * layer.outputs * layer.fan_in
            continue
        active = active_inputs(state, layer.name)
        adds += layer.positions * layer.outputs * cycles * float(np.mean(active))
    return Workload(events, adds, products)


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
        "full_windows": sum(fidelity == "full" for _, fidelity in windows),
        "events": comparison.events,
        "mismatches": comparison.mismatches,
        "worst_margin": comparison.worst_margin,
        "closure_max": verdict.closure,
    }


def _iteration_json(item: Iteration) -> dict[str, Any]:
    total, half = item.energy_total, item.half_width
    rates = item.inference.spike_rate
    return {
        "iteration": item.number,
        "snn_accuracy": item.snn_accuracy.value,
        "energy_joule": total,
        "energy_ci95": [total - half, total + half],
        "mean_rate": float(np.mean(list(rates.values()))) if rates else 0.0,
        "mismatches": item.comparison.mismatches,
        "worst_margin": item.comparison.worst_margin,
        "windows": item.windows,
    }
