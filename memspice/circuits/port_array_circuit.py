"""The exact port matrix of a crossbar in a deck: a Norton source for each bit line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.array_circuit import ArrayCircuit, ArrayPower, Stimulus
from memspice.circuits.deck import Deck, pulse_train
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.port_power import port_power
from memspice.circuits.signals import Signals


class PortArrayCircuit(ArrayCircuit):
    """The Norton equivalent of every bit line: what ``reduced`` has.

    Exact where `memspice.circuits.reducible` finds no obstacle.
    """

    name = "reduced"

    def check(self, layer: LayerCircuit) -> None:
        """Build any layer, and any part of one."""

    def add(self, deck: Deck, layer: LayerCircuit, stimulus: Stimulus) -> None:
        """Add a current source and a resistor for each bit line."""
        circuit = deck.section(
            "Drivers, wires and cells as the Norton equivalent of each column: short-circuit "
            "current\nand conductance, exact with the other columns ended by their sense stages' "
            "resistance"
        )
        ports = layer.ports
        currents = stimulus.row_voltage @ ports.norton_current[layer.columns].T
        conductances = ports.own_conductance[layer.columns]
        level = layer.sense.line_level
        rest = nodes.LINE_LEVEL if level else circuit.gnd
        if level:
            circuit.V(rest, rest, circuit.gnd, level)
        for column in range(2 * layer.outputs):
            line = nodes.bit_line(column)
            train = pulse_train(layer.row_pulse, currents[:, column], layer.schedule.cycle)
            circuit.I(f"column{column}", rest, line, train)
            resistance = float(1 / conductances[column])
            circuit.R(f"column{column}", line, rest, resistance)

    def signals(self, layer: LayerCircuit) -> list[str]:
        """Name nothing: the port matrix needs the bit lines alone."""
        return []

    def power(self, layer: LayerCircuit, stimulus: Stimulus, signals: Signals) -> ArrayPower:
        """Follow the port matrix with the simulated voltages of the bit lines."""
        own, level, ports = range(2 * layer.outputs), layer.sense.line_level, layer.ports
        envelope, cycle = _pulses(layer, stimulus, signals)
        lines = np.stack([signals.voltage(nodes.bit_line(j)) for j in own], axis=-1) - level
        found = port_power(layer, stimulus.row_voltage, cycle, envelope, lines)
        gates = layer.pulse_energy(stimulus.row_voltage)[cycle] * envelope / layer.row_pulse.area
        delivered = found.delivered + gates
        if level != 0:
            # All that flows into the stages comes out of the level at which rows rest.
            source = (stimulus.row_voltage @ ports.norton_current[layer.columns].T)[cycle]
            current = source * envelope[:, None] - lines * ports.own_conductance[layer.columns]
            delivered += level * current.sum(axis=-1)
        return replace(found, delivered=delivered, driver=found.driver + gates)

    def line_current(
        self, layer: LayerCircuit, stimulus: Stimulus, signals: Signals, column: int
    ) -> np.ndarray:
        """Current of the Norton source less that of its conductance."""
        envelope, cycle = _pulses(layer, stimulus, signals)
        place, ports = layer.columns.start + column, layer.ports
        source = (stimulus.row_voltage @ ports.norton_current[place])[cycle] * envelope
        line = signals.voltage(nodes.bit_line(column)) - layer.sense.line_level
        return np.asarray(source - line * ports.own_conductance[place])


def _pulses(
    layer: LayerCircuit, stimulus: Stimulus, signals: Signals
) -> tuple[np.ndarray, np.ndarray]:
    """Height of the row pulse, 0 to 1, and number of the cycle at each point, (points,)."""
    period = layer.schedule.cycle
    cycle = np.minimum((signals.time / period).astype(int), stimulus.cycles - 1)
    return layer.row_pulse.at(np.mod(signals.time, period)), cycle
