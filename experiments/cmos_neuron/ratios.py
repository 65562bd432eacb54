"""Which assumption moves the ratio of CMOS to memristive energy by how much."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import memspice as ms
from memspice import cmos


def sensitivity(
    summary: dict[str, Any], simulated: dict[str, Any], own: str, constants: cmos.CmosConstants
) -> dict[str, Any]:
    """Ratios by scope and opponent with each assumption changed alone, other circuits included.

    ``own`` is the circuit whose decision ``constants`` have.
    """
    split, decision = summary["sense_split_joule"], constants.decision.values
    base = cmos.Accounts(
        summary["energy_per_inference_joule"],
        sum(joule for name, joule in split.items() if name != "transistors"),
        split.get("quiescent", 0.0),
        cmos.Workload(**summary["workload"]),
        constants.operations.values,
        decision.energy(),
    )
    changes = {
        f"CMOS neuron: PTM, {name}": replace(base, decision=item["energy_total_joule"])
        for name, item in simulated.items()
        if name != own
    }
    changes |= cmos.assumption_changes(base, decision, constants.published)
    return {
        "reference": base.ratios(),
        "changes": cmos.ratio_changes(base, changes),
        "opponents": summary["opponents"],
        "assumed_fraction": {
            scope: next(iter(ratios.values()))["assumed_fraction"]
            for scope, ratios in summary["ratio"].items()
        },
        "device_source": summary["device_source"],
    }


def conversions(chip: ms.Chip) -> cmos.Conversions:
    """Inputs and outputs of one analogue inference: rows at every position, and pairs of columns.

    Inputs that several groups of columns share are converted once.
    """
    inputs = sum(layer.positions * layer.fan_in for layer in chip.mapped.layers)
    outputs = sum(layer.positions * layer.outputs for layer in chip.mapped.layers)
    return cmos.Conversions(float(inputs), float(outputs))


def analogue_rows(summary: dict[str, Any], counted: cmos.Conversions) -> dict[str, Any]:
    """Energy of the artificial network on the crossbars, with two published sets of converters."""
    components, cycles = summary["energy_per_inference_joule"], summary["cycles"]
    tables = {
        name: ms.physics.load_table("cmos45_converters", name, cmos.Converters).values
        for name in ("converters", "alternative")
    }
    return {
        "inputs": counted.inputs,
        "outputs": counted.outputs,
        **{
            name: cmos.analogue_energy(values, counted, components, cycles)
            for name, values in tables.items()
        },
    }
