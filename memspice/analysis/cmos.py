"""The CMOS counterpart: the same network, the same spikes, the same cycles, in digital 45 nm.

Three scopes are kept apart.  ``neuron``: a random draw, a table look-up and a comparison an event.
``neuron_synapse``: and one addition per synapse that a spike reaches; the first layer multiplies
its analogue inputs once per image.  ``system``: and the fetch of each weight used from SRAM.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from memspice.quantities import Parameters, quantity

SCOPES = ("neuron", "neuron_synapse", "system")
#: Components of the memristive network that each scope adds to the one before.
SCOPE_COMPONENTS = {
    "neuron": ("neuron_write", "neuron_read", "neuron_reset", "logic"),
    "neuron_synapse": ("crossbar",),
    "system": ("driver", "sense"),
}


class CmosOperations(Parameters):
    """Energy of one digital operation."""

    add: float = quantity("J", "Integer addition or comparison, 16 bit", gt=0)
    multiply: float = quantity("J", "Integer multiplication, 8 bit", gt=0)
    random_draw: float = quantity("J", "One pseudo-random number", gt=0)
    lookup: float = quantity("J", "Read of the activation table", gt=0)
    weight_fetch: float = quantity("J", "Read of one 8 bit weight from SRAM", gt=0)


@dataclass(frozen=True)
class Workload:
    """Operations of one inference: ``events`` of neurons, additions and products of synapses."""

    events: float
    synaptic_adds: float
    products: float


def cmos_energy(operations: CmosOperations, work: Workload) -> dict[str, float]:
    """Energy of one inference at each scope, [J].

    Parameters
    ----------
    operations : CmosOperations
        Energy per operation.
    work : Workload
        How many of each.
    """
    neuron = work.events * (operations.random_draw + operations.lookup + operations.add)
    synapse = work.synaptic_adds * operations.add
    synapse += work.products * (operations.multiply + operations.add)
    fetch = (work.synaptic_adds + work.products) * operations.weight_fetch
    return {
        "neuron": neuron,
        "neuron_synapse": neuron + synapse,
        "system": neuron + synapse + fetch,
    }


def memristive_energy(components: Mapping[str, float]) -> dict[str, float]:
    """Energy of the memristive network at the same scopes, [J], from its components."""
    total, result = 0.0, {}
    for scope in SCOPES:
        total += sum(components[name] for name in SCOPE_COMPONENTS[scope])
        result[scope] = total
    return result
