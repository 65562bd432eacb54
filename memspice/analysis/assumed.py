"""How much of an energy rests on assumed constants, told from the labels of its parameters.

A joule is *assumed* where a constant stands in the place of a circuit (a supply current, a rail,
the price of an operation) and nobody read that constant at its source: its label is ``A``, or
``R``, recalled from the literature. A constant that a deck of the project's own gave has the label
``D`` and names the deck and the hash of its text; it is not assumed, until a run changes it.
Whether the device itself was ever built is another matter:
`memspice.parameters.ParameterSet.device_source`. Voltages, times and conductances that a designer
chooses for the array belong to neither, nor do loads, such as the capacitance of a spike line: a
circuit charges them, and its joules are those of that circuit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from memspice.circuits.blocks import LATCHES, NEURONS, ROW_DRIVERS, SENSE_STAGES
from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.own_circuit import FILES
from memspice.parameters.file import SourcedValue

#: Labels of constants that were not read at a source.
ASSUMED_LABELS = frozenset("AR")
#: Tables whose constants stand in the place of another's circuit.
_OWNERS = {"periphery": "neuron"}
#: Converters are no block: they are counted, not built.
_CONVERTER = ("converters.input_conversion", "converters.output_conversion")


def _declared() -> dict[str, tuple[str, ...]]:
    """Constants by component, as the blocks declare them."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys(NETWORK_COMPONENTS, ())
    for kinds in (ROW_DRIVERS, SENSE_STAGES, NEURONS, LATCHES):
        for block in kinds.values():
            for component, names in block.circuit_constants.items():
                found[component] = tuple(dict.fromkeys((*found[component], *names)))
    return {**found, "converter": _CONVERTER}


#: By component, the constants that stand in the place of its circuit and set its joules.
CIRCUIT_CONSTANTS = _declared()


def circuit_constants(layer: LayerCircuit) -> dict[str, tuple[str, ...]]:
    """Those that the blocks of one layer have, by component, and the converters'."""
    blocks = [layer.array.row_driver.circuit_constants, layer.sense.circuit_constants]
    if layer.spiking:
        blocks += [layer.neuron.circuit_constants, layer.latch.circuit_constants]
    return {
        name: tuple(constant for block in blocks for constant in block.get(name, ()))
        for name in NETWORK_COMPONENTS
    } | {"converter": _CONVERTER}


#: The same of what only some blocks have: their defaults come with a source of their own.
BLOCK_CONSTANTS: dict[str, tuple[str, ...]] = {
    "driver": ("row_driver.gate_capacitance", "row_driver.gate_supply", "row_driver.leakage"),
    "logic": ("answer.comparison",),
}


def assumed_fraction(
    energy: Mapping[str, float],
    provenance: Iterable[SourcedValue],
    constants: Mapping[str, Sequence[str]] = CIRCUIT_CONSTANTS,
) -> float:
    """Share of an energy that rests on assumed constants, [1].

    Parameters
    ----------
    energy : mapping of str to float, [J]
        By component.
    provenance : iterable of SourcedValue
        Where the constants come from.
    constants : mapping of str to sequence of str
        By component, the ``table.name`` of the constants in the place of a circuit; one of them
        assumed makes the whole component so.  Those of blocks that are not used have no source.

    Returns
    -------
    float
        From 0 to 1; 0 of no energy at all.
    """
    known = list(provenance)
    labels = {f"{item.table}.{item.name}": item.label for item in known}
    # A table that names a circuit has no constants in its place; it may say that itself is assumed.
    circuits = {item.table for item in known if item.name in FILES}
    doubted = {
        item.table for item in known if item.name == "label" and item.value in ASSUMED_LABELS
    }

    def rests(constant: str) -> bool:
        table = constant.partition(".")[0]
        owner = _OWNERS.get(table, table)
        return owner in doubted if owner in circuits else labels.get(constant) in ASSUMED_LABELS

    def changed(name: str) -> bool:
        given = (labels.get(constant) for constant in BLOCK_CONSTANTS.get(name, ()))
        return any(label in ASSUMED_LABELS for label in given)

    assumed = sum(
        joule for name, joule in energy.items() if any(map(rests, constants[name])) or changed(name)
    )
    total = sum(energy.values())
    return assumed / total if total else 0.0
