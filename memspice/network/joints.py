"""What stands between sense stages and neurons of a network that is no circuit, as notes."""

from __future__ import annotations

from collections.abc import Mapping

from memspice.circuits.layer import LayerCircuit


def ideal_notes(layers: Mapping[str, LayerCircuit]) -> list[str]:
    """One sentence for layers, by their names, that have the same ideal elements."""
    words = {name: " and ".join(circuit.ideal) for name, circuit in layers.items()}
    return [
        f"{', '.join(name for name in words if words[name] == what)}: between sense stages and "
        f"neurons ideal elements {what}; they take no joules"
        for what in dict.fromkeys(words.values())
        if what
    ]
