"""Circuits without a closed form, measured before a network runs on them."""

from __future__ import annotations

from dataclasses import replace

from memspice.analysis.neuron_curve import measure_neuron
from memspice.analysis.sense_surface import with_surfaces
from memspice.engines import find_engine
from memspice.jobs import Execution, open_runner
from memspice.network.mapping import MappedNetwork
from memspice.parameters import ParameterSet

#: Simulates the surfaces; a stage that another engine runs later is judged event by event.
SURFACE_ENGINE = "ngspice"


def measured_set(parameter_set: ParameterSet) -> ParameterSet:
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
    neuron, latch = parameter_set.neuron, parameter_set.latch
    if neuron.unmeasured is None:
        return parameter_set
    with open_runner(find_engine(neuron.unmeasured.engine), Execution(cache=True)) as runner:
        measured = measure_neuron(neuron, latch, parameter_set.timing, runner)
    return replace(parameter_set, neuron=measured)


def measured_network(mapped: MappedNetwork) -> MappedNetwork:
    """Network whose sense stages have their surfaces, out of the cache where they are there.

    Parameters
    ----------
    mapped : MappedNetwork
        Itself returned where every stage has a closed form.

    Raises
    ------
    ConfigError
        If a stage has a memory or has not settled.
    EngineNotFound
        If a surface is not in the cache and there is no engine.
    """
    if all(layer.circuits[0].sense.unmeasured is None for layer in mapped.layers):
        return mapped
    with open_runner(find_engine(SURFACE_ENGINE), Execution(cache=True)) as runner:
        layers = tuple(
            replace(layer, circuits=with_surfaces(layer.circuits, runner))
            for layer in mapped.layers
        )
    return replace(mapped, layers=layers)
