"""Sense stages without a closed form, measured before a network runs on them."""

from __future__ import annotations

from dataclasses import replace

from memspice.analysis.sense_surface import with_surfaces
from memspice.engines import find_engine
from memspice.jobs import Execution, open_runner
from memspice.network.mapping import MappedNetwork

#: Simulates the surfaces; a stage that another engine runs later is judged event by event.
SURFACE_ENGINE = "ngspice"


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
