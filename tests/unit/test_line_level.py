"""Sense stages that hold their lines off ground, and that must warm up before a cycle counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from memspice.analysis.energy import energy_balance
from memspice.circuits import nodes
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks.resistive import ResistiveStage
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.blocks.transimpedance import Transimpedance, TransimpedanceStage
from memspice.circuits.deck import Deck, pulse_train
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.circuits.signals import Signals
from memspice.circuits.spice import Circuit
from memspice.circuits.timing import Pulse
from memspice.engines import find_engine
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError
from memspice.network.mapping import map_network
from memspice.network.weights import load_network
from memspice.parameters import load_parameter_set
from tests.helpers import ARRAYS, Simulated, near_stimulus, simulate, small_layer
from tests.tables import EVERY_FIDELITY

LEVEL = 0.3
WIRES = {"wire_resistance_row": 200.0, "wire_resistance_col": 200.0, "driver_resistance": 500.0}


class RaisedStage(ResistiveStage):
    """Resistors to a level in the place of ground; ``warm`` cycles do not count."""

    level: float = LEVEL
    warm: int = 0

    @property
    def line_level(self) -> float:
        return self.level

    @property
    def warm_up(self) -> int:
        return self.warm

    @property
    def supplies(self) -> Mapping[str, float]:
        return {**super().supplies, "raised": self.level}

    def add_ends(self, deck: Deck, outputs: int) -> Circuit:
        circuit = self._section(deck)
        for column in range(2 * outputs):
            circuit.R(f"sense{column}", nodes.bit_line(column), "raised", self.sense_resistance)
        return circuit

    def end_power(self, signals: Signals, column: int, idle: np.ndarray) -> np.ndarray:
        over = signals.voltage(nodes.bit_line(column)) - self.level
        return np.asarray(over**2 / self.sense_resistance)


def raised_layer(level: float, warm: int = 0, **array: float) -> LayerCircuit:
    """Small layer on two tiles, its lines at a level."""
    layer = small_layer(resistive=True, tiles=2, **WIRES, **array)
    shared = layer.sense.model_dump()  # type: ignore[attr-defined]
    return replace(layer, sense=RaisedStage(**shared, level=level, warm=warm))


def energies(layer: LayerCircuit, stimulus: Stimulus, found: Simulated) -> np.ndarray:
    """Joules of every component and cycle."""
    balance = energy_balance(found.power, layer.schedule, stimulus.cycles)
    assert balance.closure < 1e-4
    return np.stack(list(balance.components.values()))


@pytest.mark.ngspice
@EVERY_FIDELITY
def test_only_differences_of_voltages_count(fidelity: str) -> None:
    """The whole array raised by 0.3 V: the same drives and joules, to the solver's tolerance."""
    runs = []
    for level in (0.0, LEVEL):
        layer = raised_layer(level, warm=1)
        stimulus = near_stimulus(layer)
        found = simulate(layer, stimulus, fidelity)
        runs.append((found, energies(layer, stimulus, found)))
    (ground, joules), (raised, same) = runs
    np.testing.assert_allclose(raised.drive, ground.drive, rtol=1e-5)
    np.testing.assert_array_equal(raised.spikes, ground.spikes)
    # reltol is 1e-5, and phases of neurons share what is on their capacitors
    np.testing.assert_allclose(same.sum(axis=1), joules.sum(axis=1), rtol=1e-3)
    np.testing.assert_allclose(same[:3], joules[:3], rtol=1e-4)


@pytest.mark.ngspice
@pytest.mark.vacask
def test_fidelities_and_engines_agree_on_a_raised_line() -> None:
    layer = raised_layer(LEVEL, warm=2)
    stimulus = near_stimulus(layer)
    reference = simulate(layer, stimulus, "full")
    expected = energies(layer, stimulus, reference)
    for fidelity, engine in (("reduced", None), ("full", find_engine("vacask"))):
        found = simulate(layer, stimulus, fidelity, engine=engine)
        np.testing.assert_array_equal(found.spikes, reference.spikes)
        # coupling between columns of the reduced deck, and steps of the other engine
        np.testing.assert_allclose(found.drive, reference.drive, rtol=1e-3)
        joules = energies(layer, stimulus, found)
        np.testing.assert_allclose(joules[:3].sum(axis=1), expected[:3].sum(axis=1), rtol=5e-3)


@pytest.mark.ngspice
def test_capacitance_of_raised_wires_is_charged_before_a_cycle_counts() -> None:
    """1/2 C V^2 of all cells would be a joule that no later cycle has."""
    layer = raised_layer(LEVEL, warm=1, wire_capacitance_row=5e-15, wire_capacitance_col=5e-15)
    stimulus = Stimulus(np.full((2, layer.rows), 0.1), np.ones((2, layer.outputs)))
    found = simulate(layer, stimulus, "full")
    first, second = energies(layer, stimulus, found)[:3].T
    np.testing.assert_allclose(first, second, rtol=1e-3)


def test_neurons_wait_while_sense_stages_warm_up() -> None:
    layer = raised_layer(LEVEL, warm=2)
    stimulus = near_stimulus(layer)
    warmed = stimulus.warmed_up(2)
    np.testing.assert_array_equal(warmed.row_voltage[:3], stimulus.row_voltage[[0, 0, 0]])
    np.testing.assert_array_equal(warmed.row_voltage[2:], stimulus.row_voltage)
    np.testing.assert_array_equal(warmed.thresholds[2:], stimulus.thresholds)
    assert layer.lead == 2 * layer.schedule.cycle
    text = str(layer_deck(layer, stimulus, ARRAYS["reduced"])).replace("\n+", "")
    lines = {line.split()[0]: line for line in text.splitlines() if line[:1] in "VI"}
    times = {name: [float(t) for t in _times(line)] for name, line in lines.items()}
    assert min(time for time in times["Vwrite"] if time > 0) > layer.lead
    assert min(time for time in times["Icolumn0"] if time > 0) < layer.schedule.cycle
    assert min(time for time in times["Venable"] if time > 0) < layer.schedule.cycle
    assert max(times["Vwrite"]) > layer.lead + (stimulus.cycles - 1) * layer.schedule.cycle


def _times(line: str) -> list[str]:
    """Times of a piecewise linear source; none of a constant one."""
    _, _, points = line.partition("pwl(")
    return points.rstrip(")").split()[0::2]


def test_a_warm_up_is_counted_in_cycles_also_of_bursts() -> None:
    stimulus = Stimulus(np.arange(8.0).reshape(4, 2), np.arange(4.0).reshape(4, 1), burst=2)
    warmed = stimulus.warmed_up(1)
    np.testing.assert_array_equal(warmed.row_voltage[:3], stimulus.row_voltage[[0, 0, 1]])
    np.testing.assert_array_equal(warmed.thresholds.ravel(), [0, 0, 1, 2, 3])
    assert warmed.burst == 2


def test_pulses_stand_on_the_level_between_them() -> None:
    pulse = Pulse(1.0, 4.0, 1.0)
    points = pulse_train(pulse, np.array([0.1, 0.0, 0.2]), 10.0, rest=0.3).points
    np.testing.assert_allclose([t for t, _ in points], [0, 1, 2, 3, 4, 21, 22, 23, 24])
    np.testing.assert_allclose(
        [value for _, value in points], [0.3, 0.3, 0.4, 0.4, 0.3, 0.3, 0.5, 0.5, 0.3]
    )


def test_waveforms_begin_behind_a_warm_up() -> None:
    waves = Waveforms(np.array([0.0, 1.0, 3.0]), {"v(a)": np.array([0.0, 2.0, 6.0])}, "log", 1.5)
    later = waves.after(2.0)
    np.testing.assert_array_equal(later.time, [0.0, 1.0])
    np.testing.assert_array_equal(later.voltage("a"), [4.0, 6.0])
    assert waves.after(0.0) is waves


class TallStage(TransimpedanceStage):
    """Stage of fixed gain whose lines rest just below the limit of the row drivers."""

    @property
    def line_level(self) -> float:
        return 0.95

    @property
    def row_scale(self) -> float:
        return 1.01


class Tall(Transimpedance):
    """Design of it."""

    def sized(self, needs: SenseNeeds) -> TallStage:
        return TallStage(**super().sized(needs).model_dump())


def test_rows_above_the_level_must_be_within_the_limit_of_their_drivers() -> None:
    chosen = load_parameter_set("fast-memristor")
    tall = replace(chosen, sense=Tall(**chosen.sense.model_dump()))  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match=r"rows of 1\.05 V, above array.drive_limit"):
        map_network(load_network("digits-mlp"), tall)
