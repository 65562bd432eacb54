"""The CMOS counterpart: the same network, the same spikes, the same cycles, in digital 45 nm.

Three scopes are kept apart.  ``neuron``: a random draw, a table look-up and a comparison an event.
``neuron_synapse``: and one addition per synapse that a spike reaches; the first layer multiplies
its analogue inputs once per image.  ``system``: and the fetch of each weight used from SRAM.

The neuron's decision is either quoted (sum of published energies per operation) or simulated
(`NeuronDecision`: supply currents of the transistor circuit of `memspice.circuits.cmos_neuron`).
A fourth row is the artificial neural network on the same crossbars, read once through converters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TypeVar

from memspice.errors import ConfigError
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


class NeuronDecision(Parameters):
    """Energy of one decision of a simulated CMOS neuron, block by block, its clock included.

    The clock's buffer also serves the register, so it is not shared with it.  Leakage is that of
    one neuron with its register, and runs whether or not there is a decision.
    """

    clock: float = quantity("J", "Clock buffer", ge=0)
    random_number: float = quantity("J", "Shift register: one random number", ge=0)
    table: float = quantity("J", "Read of the activation table", ge=0)
    compare: float = quantity("J", "Comparison of threshold and random number", ge=0)
    latch: float = quantity("J", "Spike latch", ge=0)
    period: float = quantity("s", "Clock period, one decision", gt=0)
    leakage: float = quantity("W", "Static power, part of the energies above", ge=0)

    def energy(self, shared_register: int = 1) -> float:
        """Energy of one decision, [J].

        Parameters
        ----------
        shared_register : int
            Neurons that take the same random number; their spikes are then correlated, unlike
            those of devices.

        Raises
        ------
        ConfigError
            If ``shared_register`` is below 1.
        """
        _at_least_one("shared_register", shared_register)
        own = self.clock + self.table + self.compare + self.latch
        return own + self.random_number / shared_register


class Converters(Parameters):
    """Converters of a crossbar that computes with graded values, read once for each result."""

    input_conversion: float = quantity("J", "Digital-to-analogue conversion of one input", ge=0)
    output_conversion: float = quantity("J", "Analogue-to-digital conversion of a column", ge=0)
    activation: float = quantity("J", "Look-up of the activation function", ge=0)


@dataclass(frozen=True)
class Workload:
    """Operations of one inference: ``events`` of neurons, additions and products of synapses."""

    events: float
    synaptic_adds: float
    products: float


@dataclass(frozen=True)
class Conversions:
    """Conversions of one inference of the analogue network: ``inputs`` and ``outputs``.

    An input is a row of a layer at one position, an output a pair of its columns.
    """

    inputs: float
    outputs: float


def quoted_decision(operations: CmosOperations) -> float:
    """Energy of a neuron's decision as the sum of published energies per operation, [J]."""
    return operations.random_draw + operations.lookup + operations.add


def cmos_energy(
    operations: CmosOperations,
    work: Workload,
    decision: float | None = None,
    fetch_reuse: float = 1.0,
) -> dict[str, float]:
    """Energy of one inference at each scope, [J].

    Parameters
    ----------
    operations : CmosOperations
        Energy per operation.
    work : Workload
        How many of each.
    decision : float, optional, [J]
        Of a neuron, for instance `NeuronDecision.energy`; `quoted_decision` if not given.
    fetch_reuse : float
        Synaptic operations that use a weight once it has been fetched, at least 1.

    Raises
    ------
    ConfigError
        If ``fetch_reuse`` is below 1.
    """
    _at_least_one("fetch_reuse", fetch_reuse)
    neuron = work.events * (quoted_decision(operations) if decision is None else decision)
    synapse = work.synaptic_adds * operations.add
    synapse += work.products * (operations.multiply + operations.add)
    fetch = (work.synaptic_adds + work.products) * operations.weight_fetch / fetch_reuse
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


def analogue_energy(
    converters: Converters, conversions: Conversions, components: Mapping[str, float], cycles: int
) -> dict[str, float]:
    """Energy of one inference of the artificial network on the same crossbars, [J].

    It reads each crossbar once, at graded inputs, where the spiking network reads it ``cycles``
    times; its neurons are converters and a look-up.  One cycle of the spiking network stands for
    the one read: an upper bound for drivers and crossbar, because a graded input ``x`` takes
    ``x**2`` of the energy of a full one and spikes take ``x`` of it on average.

    Parameters
    ----------
    converters : Converters
        Energy per conversion.
    conversions : Conversions
        How many.
    components : mapping of str to float, [J]
        Energy of the spiking network by component, for all cycles.
    cycles : int
        Cycles of the spiking network.

    Returns
    -------
    dict of str to float, [J]
        ``crossbar``, ``driver``, ``sense``, ``converters``, ``activation``, ``total``.

    Raises
    ------
    ConfigError
        If ``cycles`` is below 1.
    """
    _at_least_one("cycles", cycles)
    parts = {name: components[name] / cycles for name in ("crossbar", "driver", "sense")}
    parts["converters"] = conversions.inputs * converters.input_conversion
    parts["converters"] += conversions.outputs * converters.output_conversion
    parts["activation"] = conversions.outputs * converters.activation
    return {**parts, "total": sum(parts.values())}


AssumptionT = TypeVar("AssumptionT")


@dataclass(frozen=True)
class RatioChange:
    """Ratio of CMOS to memristive energy by scope with one assumption changed.

    ``factor`` is each ratio over that of the unchanged assumptions.
    """

    ratio: dict[str, float]
    factor: dict[str, float]

    def as_json(self) -> dict[str, dict[str, float]]:
        """Plain dictionaries."""
        return asdict(self)


def ratio_sensitivity(
    ratio: Callable[[AssumptionT], Mapping[str, float]],
    base: AssumptionT,
    changes: Mapping[str, AssumptionT],
) -> dict[str, RatioChange]:
    """What each assumption, changed alone, does to the ratio of energies.

    Parameters
    ----------
    ratio : callable
        Ratio by scope under some assumptions.
    base : object
        The assumptions that stand.
    changes : mapping of str to object
        By what was changed: the assumptions with that one change.

    Returns
    -------
    dict of str to RatioChange
        Largest change first, whether up or down: by the factor of the scope it moves most.
    """
    standing = ratio(base)
    rows = {}
    for name, assumptions in changes.items():
        found = ratio(assumptions)
        factor = {scope: found[scope] / standing[scope] for scope in standing}
        rows[name] = RatioChange(dict(found), factor)

    def extent(name: str) -> float:
        return max(max(factor, 1 / factor) for factor in rows[name].factor.values())

    return {name: rows[name] for name in sorted(rows, key=extent, reverse=True)}


def _at_least_one(name: str, value: float) -> None:
    if not value >= 1:
        raise ConfigError(f"{name} = {value} must be at least 1")
