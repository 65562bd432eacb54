"""Which assumption moves the ratio of CMOS to memristive energy by how much."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from memspice.analysis.accounts import Accounts, assumption_changes, ratio_changes
from memspice.analysis.cmos import (
    CmosOperations,
    Conversions,
    Converters,
    NeuronDecision,
    Workload,
    analogue_energy,
)
from memspice.network.mapping import MappedNetwork
from memspice.parameters import load_sourced


def sensitivity(
    summary: dict[str, Any], simulated: dict[str, Any], decision: NeuronDecision
) -> dict[str, Any]:
    """Ratios by scope and opponent with each assumption changed alone, other circuits included."""
    base = Accounts(
        summary["energy_per_inference_joule"],
        summary["sense_split_joule"]["quiescent"],
        Workload(**summary["workload"]),
        load_sourced("cmos-45nm", "cmos", CmosOperations).values,
        decision.energy(),
    )
    changes = {
        f"CMOS neuron: {name}": replace(base, decision=item["energy_total_joule"])
        for name, item in simulated.items()
        if name != "reference"
    }
    changes |= assumption_changes(base, decision)
    return {
        "reference": base.ratios(),
        "changes": ratio_changes(base, changes),
        "opponents": summary["opponents"],
        "assumed_fraction": {
            scope: next(iter(ratios.values()))["assumed_fraction"]
            for scope, ratios in summary["ratio"].items()
        },
        "device_source": summary["device_source"],
    }


def conversions(mapped: MappedNetwork) -> Conversions:
    """Inputs and outputs of one analogue inference: rows at every position, and pairs of columns.

    Inputs that several groups of columns share are converted once.
    """
    inputs = sum(layer.positions * layer.fan_in for layer in mapped.layers)
    outputs = sum(layer.positions * layer.outputs for layer in mapped.layers)
    return Conversions(float(inputs), float(outputs))


def analogue_rows(summary: dict[str, Any], counted: Conversions) -> dict[str, Any]:
    """Energy of the artificial network on the crossbars, with two published sets of converters."""
    components, cycles = summary["energy_per_inference_joule"], summary["cycles"]
    tables = {
        name: load_sourced("cmos45_converters", name, Converters).values
        for name in ("converters", "alternative")
    }
    return {
        "inputs": counted.inputs,
        "outputs": counted.outputs,
        **{
            name: analogue_energy(values, counted, components, cycles)
            for name, values in tables.items()
        },
    }
