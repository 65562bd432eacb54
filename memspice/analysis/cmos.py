"""The CMOS counterparts: digital 45 nm networks that do the work of the memristive one.

Three scopes book the same work on both sides.  ``neuron``: the decision of every event.
``neuron_synapse``: and what forms the weighted sums: drivers, crossbar and sense stages there,
additions and products here.  ``system``: and converters there, weight memory here.

Four opponents (`OPPONENTS`): the same spikes in weight-stationary CMOS with additions of 8 or of 16
bit, the artificial network of 8 bit in one pass, and the spikes as the papers count them, with a
fetch for each addition, which serves only to set a number beside theirs.

The neuron's decision is either quoted (sum of published energies per operation) or simulated
(`NeuronDecision`: supply currents of the transistor circuit of `memspice.circuits.cmos.neuron`).
Registers, routing, clocks and leakage of memories are on neither side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from memspice.analysis.assumed import assumed_fraction
from memspice.errors import ConfigError
from memspice.parameters.file import SourcedValue
from memspice.quantities import Parameters, quantity

SCOPES = ("neuron", "neuron_synapse", "system")
#: Components of the memristive network that each scope adds to the one before.
SCOPE_COMPONENTS = {
    "neuron": ("neuron_write", "neuron_read", "neuron_reset", "logic"),
    "neuron_synapse": ("driver", "crossbar", "sense"),
    "system": ("converter",),
}
#: Part of a digital network that each scope adds to the one before.
SCOPE_PARTS = {"neuron": ("neuron",), "neuron_synapse": ("synapse",), "system": ("memory",)}


class CmosOperations(Parameters):
    """Energy of one digital operation, and how often a fetched weight is used."""

    add_8bit: float = quantity("J", "Integer addition, 8 bit", gt=0)
    add_16bit: float = quantity("J", "Integer addition or comparison, 16 bit", gt=0)
    add_32bit: float = quantity("J", "Integer addition, 32 bit", gt=0)
    multiply: float = quantity("J", "Integer multiplication, 8 bit", gt=0)
    random_draw: float = quantity("J", "One pseudo-random number", gt=0)
    lookup: float = quantity("J", "Read of the activation table", gt=0)
    weight_fetch: float = quantity("J", "Read of one 8 bit weight from SRAM", gt=0)
    weight_reuse: float = quantity("1", "Uses of a weight once it has been fetched", ge=1)
    weight_reuse_papers: float = quantity("1", "Uses of a fetched weight in the papers", ge=1)


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
    half_width: float = quantity("1", "Relative half width of the sum's 95 % interval", ge=0)

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
    """Operations of one inference.

    Of the spikes: ``events`` of neurons, ``synaptic_adds`` and ``products`` of synapses (the first
    layer multiplies its analogue inputs once per image).  Of the artificial network in one pass:
    ``activations`` of neurons and ``macs``, products that are added up.
    """

    events: float
    synaptic_adds: float
    products: float
    activations: float
    macs: float


@dataclass(frozen=True)
class Conversions:
    """Conversions of one inference of the analogue network: ``inputs`` and ``outputs``.

    An input is a row of a layer at one position, an output a pair of its columns.
    """

    inputs: float
    outputs: float


@dataclass(frozen=True)
class Opponent:
    """A digital network to compare with; ``add`` and ``reuse`` name fields of `CmosOperations`."""

    words: str
    spiking: bool
    add: str
    reuse: str

    @property
    def constants(self) -> dict[str, tuple[str, ...]]:
        """Constants that price each part, as ``table.name``."""
        blocks = ("clock", "random_number", "table", "compare", "latch")
        decision = tuple(f"decision.{block}" for block in blocks)
        return {
            "neuron": decision if self.spiking else ("cmos.lookup",),
            "synapse": (f"cmos.{self.add}", "cmos.multiply"),
            "memory": ("cmos.weight_fetch", f"cmos.{self.reuse}"),
        }


PAPERS = "as_papers_count"
OPPONENTS = {
    "spiking_8bit": Opponent("same spikes, 8 bit adds", True, "add_8bit", "weight_reuse"),
    "spiking_16bit": Opponent("same spikes, 16 bit adds", True, "add_16bit", "weight_reuse"),
    "ann_8bit": Opponent("8 bit ANN in one pass", False, "add_8bit", "weight_reuse"),
    PAPERS: Opponent("same spikes, a fetch for each add", True, "add_16bit", "weight_reuse_papers"),
}
#: Those that do the work as one would build it: what a headline may name.
LIKE_FOR_LIKE = tuple(name for name in OPPONENTS if name != PAPERS)


def quoted_decision(operations: CmosOperations) -> float:
    """Energy of a neuron's decision as the sum of published energies per operation, [J]."""
    return operations.random_draw + operations.lookup + operations.add_16bit


def opponent_parts(
    opponent: Opponent, operations: CmosOperations, work: Workload, decision: float
) -> dict[str, float]:
    """Energy of one inference of a digital network by part, [J].

    Parameters
    ----------
    opponent : Opponent
        Which network.
    operations : CmosOperations
        Energy per operation.
    work : Workload
        How many of each.
    decision : float, [J]
        Of a spiking neuron: `NeuronDecision.energy`, or `quoted_decision`.

    Returns
    -------
    dict of str to float, [J]
        ``neuron``, ``synapse`` and ``memory``.
    """
    add = getattr(operations, opponent.add)
    multiply = operations.multiply + add
    if opponent.spiking:
        neuron = work.events * decision
        synapse = work.synaptic_adds * add + work.products * multiply
        uses = work.synaptic_adds + work.products
    else:
        neuron, synapse = work.activations * operations.lookup, work.macs * multiply
        uses = work.macs
    memory = uses * operations.weight_fetch / getattr(operations, opponent.reuse)
    return {"neuron": neuron, "synapse": synapse, "memory": memory}


def by_scope(parts: Mapping[str, float], scopes: Mapping[str, tuple[str, ...]]) -> dict[str, float]:
    """Energy at each scope, [J]: that of the scope before, and of the parts that it adds."""
    total, result = 0.0, {}
    for scope in SCOPES:
        total += sum(parts[name] for name in scopes[scope])
        result[scope] = total
    return result


def assumed_by_scope(
    parts: Mapping[str, float],
    scopes: Mapping[str, tuple[str, ...]],
    provenance: Iterable[SourcedValue],
    constants: Mapping[str, tuple[str, ...]],
) -> dict[str, float]:
    """Share of the energy at each scope that rests on assumed constants, [1]."""
    sourced, result = tuple(provenance), {}
    inside: dict[str, float] = {}
    for scope in SCOPES:
        inside |= {name: parts[name] for name in scopes[scope]}
        result[scope] = assumed_fraction(inside, sourced, constants)
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
        ``crossbar``, ``driver``, ``sense``, ``converters``, ``activation``.

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
    return parts


def _at_least_one(name: str, value: float) -> None:
    if not value >= 1:
        raise ConfigError(f"{name} = {value} must be at least 1")
