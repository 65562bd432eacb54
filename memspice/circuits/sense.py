"""Sense stages of bit-line pairs: two current inputs and a difference stage."""

from __future__ import annotations

from memspice.circuits.deck import Deck
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.spice import SubCircuit

_RAILS = ("enable", "sense_p", "sense_n")


def add_sense(deck: Deck, layer: LayerCircuit) -> None:
    """Sense stages of all bit lines ``c<j>``: drives ``drive<n>`` of the neurons."""
    if layer.sense.kind == "transimpedance":
        deck.subcircuit(
            "Transimpedance stage: v(out) = -feedback * i(input), the bit line stays near ground",
            transimpedance_subcircuit(layer),
        )
    circuit = deck.section("Sense stages: one per bit line, a difference stage per pair")
    for column in range(2 * layer.outputs):
        if layer.sense.kind == "resistive":
            circuit.R(f"sense{column}", f"c{column}", circuit.gnd, layer.sense.sense_resistance)
        else:
            circuit.X(f"sense{column}", "transimpedance", f"c{column}", f"o{column}", *_RAILS)
    low, high = layer.write_limits
    bias = layer.output_bias.tolist()
    for output in range(layer.outputs):
        circuit.X(
            f"difference{output}",
            "difference_amplifier",
            *difference_inputs(layer, output),
            f"drive{output}",
            *_RAILS,
            v_bias=bias[output],
            gain=layer.difference_gain,
            low=low,
            high=high,
            pole=layer.difference_gain * layer.sense.pole / layer.sense.gain,
            i_quiescent=layer.sense.quiescent_current,
        )


def transimpedance_subcircuit(layer: LayerCircuit) -> SubCircuit:
    """One-pole amplifier with a feedback resistor."""
    sense = layer.sense
    circuit = SubCircuit("transimpedance", "input", "out", "enable", "vdd", "vss")
    circuit.R("feedback", "input", "out", layer.feedback_resistance)
    circuit.X(
        "amplifier",
        "amplifier",
        *("input", "level", "enable", "vdd", "vss"),
        gain=sense.gain,
        pole=sense.pole,
        swing=sense.swing,
        i_quiescent=sense.quiescent_current,
    )
    circuit.X("output", "output_stage", "level", "out", "vdd", "vss", r_out=sense.output_resistance)
    return circuit


def difference_inputs(layer: LayerCircuit, output: int) -> tuple[str, str]:
    """Nodes at the plus and minus input of a difference stage."""
    plus, minus = 2 * output, 2 * output + 1
    if layer.sense.kind == "resistive":
        return f"c{plus}", f"c{minus}"
    return f"o{minus}", f"o{plus}"  # a transimpedance stage inverts
