"""Which assumption moves the ratio of CMOS to memristive energy by how much."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from memspice.analysis.cmos import (
    SCOPES,
    CmosOperations,
    Conversions,
    Converters,
    NeuronDecision,
    Workload,
    analogue_energy,
    cmos_energy,
    memristive_energy,
    quoted_decision,
    ratio_sensitivity,
)
from memspice.network.mapping import MappedNetwork
from memspice.parameters import load_sourced

OPERATIONS = load_sourced("cmos-45nm", "cmos", CmosOperations).values


@dataclass(frozen=True)
class Assumptions:
    """Everything that the ratio depends on."""

    work: Workload
    components: dict[str, float]
    decision: float
    operations: CmosOperations = OPERATIONS
    fetch_reuse: float = 1.0

    def ratio(self) -> dict[str, float]:
        """CMOS over memristive energy by scope."""
        cmos = cmos_energy(self.operations, self.work, self.decision, self.fetch_reuse)
        own = memristive_energy(self.components)
        return {scope: cmos[scope] / own[scope] for scope in SCOPES}

    def priced(self, **values: float) -> Assumptions:
        """Other energies per operation."""
        return replace(self, operations=self.operations.model_copy(update=values))

    def scaled(self, name: str, factor: float) -> Assumptions:
        """One component of the memristive network at another energy."""
        return replace(self, components={**self.components, name: factor * self.components[name]})


def sensitivity(
    summary: dict[str, Any], simulated: dict[str, Any], decision: NeuronDecision
) -> dict[str, Any]:
    """Ratios with each assumption changed alone."""
    work, components = Workload(**summary["workload"]), summary["energy_per_inference_joule"]
    base = Assumptions(work, components, decision.energy())
    changes = {
        f"CMOS neuron: {name}": replace(base, decision=item["energy_joule"]["total"])
        for name, item in simulated.items()
        if name != "reference"
    }
    changes |= {
        "CMOS neuron: quoted, not simulated": replace(base, decision=quoted_decision(OPERATIONS)),
        "CMOS neuron: register shared by 128": replace(base, decision=decision.energy(128)),
        "weight fetched once for 16 uses": replace(base, fetch_reuse=16.0),
        "weight fetched once for 256 uses": replace(base, fetch_reuse=256.0),
        # Horowitz, ISSCC 2014: 20 pJ an access where 8 KB take 10.
        "weight from a 32 KB memory": base.priced(weight_fetch=2 * OPERATIONS.weight_fetch),
        "additions of 8 bit": base.priced(add=0.03e-12),  # Horowitz, ISSCC 2014
        "sense stages at a tenth": base.scaled("sense", 0.1),
        "sense stages at twice": base.scaled("sense", 2.0),
        "cells at twice the conductance": base.scaled("crossbar", 2.0),
        "memristor write at twice": base.scaled("neuron_write", 2.0),
        "memristor read at half": base.scaled("neuron_read", 0.5),
    }
    rows = ratio_sensitivity(Assumptions.ratio, base, changes)
    return {"reference": base.ratio(), "changes": {name: r.as_json() for name, r in rows.items()}}


def conversions(mapped: MappedNetwork) -> Conversions:
    """Inputs and outputs of one analogue inference: rows at every position, and pairs of columns.

    Inputs that several groups of columns share are converted once.
    """
    inputs = sum(layer.positions * (layer.rows - 1) for layer in mapped.layers)
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
