"""Circuits without a closed form, measured before a network runs on them."""

from __future__ import annotations

from dataclasses import replace

from memspice.analysis.cell_curve import measure_cell
from memspice.analysis.neuron_curve import measure_neuron
from memspice.analysis.sense_surface import (
    SenseConditions,
    measure_sense_surface,
    with_surfaces,
)
from memspice.analysis.shipped_surfaces import shipped_surface
from memspice.circuits.sense_bench import ClockedStage
from memspice.circuits.sense_surface import SenseSurface
from memspice.engines import find_engine
from memspice.jobs import Execution, open_runner
from memspice.network.mapping import MappedLayer, MappedNetwork, trimmed_layer
from memspice.parameters import ParameterSet


def measured_neuron(parameter_set: ParameterSet) -> ParameterSet:
    """Parameter set whose neuron has its curve, out of the cache where it is there.

    Parameters
    ----------
    parameter_set : ParameterSet
        Itself returned where its neuron has a closed form.

    Raises
    ------
    ConfigError
        If the neuron is none: see `memspice.analysis.neuron_curve`.
    EngineNotFound
        If the curve is not in the cache and there is no engine for it.
    """
    neuron, latch = parameter_set.neuron.unmeasured, parameter_set.latch
    if neuron is None:
        return parameter_set
    with open_runner(find_engine(neuron.circuit.engine), Execution(cache=True)) as runner:
        measured = measure_neuron(neuron, latch, parameter_set.timing, runner)
    return replace(parameter_set, neuron=measured)


def measured_cell(parameter_set: ParameterSet) -> ParameterSet:
    """Parameter set whose cells have their curves, likewise; see `memspice.analysis.cell_curve`."""
    array, synapse = parameter_set.array, parameter_set.synapse
    unmeasured = array.cell.unmeasured
    if unmeasured is None:
        return parameter_set
    ends = (synapse.min_conductance, synapse.max_conductance)
    with open_runner(find_engine(unmeasured.circuit.engine), Execution(cache=True)) as runner:
        cell = measure_cell(unmeasured, ends, runner)
    return replace(parameter_set, array=array.model_copy(update={"cell": cell}))


def _engine_of(stage: ClockedStage) -> str:
    return "vacask" if stage.library is None else "ngspice"


def measured_network(mapped: MappedNetwork) -> MappedNetwork:
    """Network whose sense stages have their surfaces: shipped ones, of the cache, or measured.

    Parameters
    ----------
    mapped : MappedNetwork
        Itself returned where every stage has a closed form.

    Raises
    ------
    ConfigError
        If a stage has a memory or has not settled.
    EngineNotFound
        If a surface is neither shipped nor in the cache, and there is no engine.
    """
    layers = tuple(map(_measured_layer, mapped.layers))
    return replace(mapped, layers=layers)


def _measured_layer(layer: MappedLayer) -> MappedLayer:
    """Layer with its surface, and trimmed by it where it has a trim."""
    if not layer.circuits[0].sense.unmeasured:
        return layer
    return trimmed_layer(replace(layer, circuits=with_surfaces(layer.circuits, _surface_of)))


def _surface_of(stage: ClockedStage, conditions: SenseConditions) -> SenseSurface:
    """The one that comes with memspice, else what is measured, or was before."""
    shipped = shipped_surface(stage, conditions)
    if shipped is not None:
        return shipped
    with open_runner(find_engine(_engine_of(stage)), Execution(cache=True)) as runner:
        return measure_sense_surface(stage, conditions, runner)
