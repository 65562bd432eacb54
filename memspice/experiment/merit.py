"""Figures of merit of a co-simulated network: counts of the run, circuits of its mapped layers."""

from __future__ import annotations

from collections.abc import Mapping

from memspice.analysis.merit import AreaRule, LayerArea, layouts, synaptic_operations
from memspice.circuits.silicon import package_silicon
from memspice.experiment.results.against_cmos import CmosComparison
from memspice.experiment.results.merit import Merit
from memspice.network.latency import busy, latency
from memspice.network.mapping import MappedLayer, MappedNetwork
from memspice.parameters import SourcedParameters, load_table

#: Circuits of a neuron in ``models/freepdk45/``, and the driver of an electrode that many share.
NEURON, ELECTRODE = ("write_path", "strongarm"), "electrode"


def load_area_rule() -> SourcedParameters[AreaRule]:
    """The rule of ``models/area.toml``."""
    return load_table("area", "area", AreaRule)


def figures_of_merit(
    mapped: MappedNetwork,
    cycles: int,
    burst: int,
    *,
    against: CmosComparison,
    left_out: Mapping[str, float],
) -> Merit:
    """Joules an operation, time and area of an inference.

    Parameters
    ----------
    mapped : MappedNetwork
        Network on crossbars.
    cycles, burst : int
        Of an image, and of a burst.
    against : CmosComparison
        Has operations and joules of an inference.
    left_out : mapping of str to float, [J]
        What these joules leave out.
    """
    work = against.workload
    sourced = load_area_rule()
    layers = [
        LayerArea(
            layer.positions,
            layer_area(sourced.values, layer, burst),
            busy(mapped, layer, cycles, burst),
        )
        for layer in mapped.layers
    ]
    operations = synaptic_operations(work.macs, work.synaptic_adds, work.products, cycles)
    ways = layouts(layers, latency(mapped, cycles, burst))
    energy, missing = against.total.value, sum(left_out.values())
    return Merit(operations, energy, missing, ways, sourced.provenance)


def layer_area(rule: AreaRule, layer: MappedLayer, burst: int) -> dict[str, float]:
    """Area of a layer's circuits at one position by part, [m^2].

    Column groups have row drivers of their own; models of amplifiers and of other neurons have
    the area of the transistors in ``models/freepdk45/`` that do their work.
    """
    circuit = layer.circuits[0]
    cells = sum(tile.size for part in layer.circuits for tile in part.conductances)
    drivers = sum(part.rows for part in layer.circuits)
    stage = circuit.sense.silicon(burst, len(circuit.conductances))
    neuron = sum(map(rule.circuit, map(package_silicon, NEURON)))
    neuron += rule.circuit(package_silicon(ELECTRODE)) / rule.electrode_group
    return {
        "cells": rule.cells(cells),
        "drivers": drivers * rule.circuit(circuit.array.row_driver.silicon),
        "stages": layer.outputs * rule.circuit(stage),
        "neurons": layer.outputs * neuron if layer.spiking else 0.0,
    }
