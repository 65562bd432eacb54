"""What every neuron and every latch of the package promise."""

from __future__ import annotations

import re

import numpy as np
import pytest

from memspice.circuits import nodes
from memspice.circuits.blocks import LATCHES, NEURONS
from memspice.circuits.blocks.driven_neuron import DrivenNeuron
from memspice.circuits.blocks.neuron import instance
from memspice.circuits.deck import Deck
from memspice.circuits.netlists import layer_deck
from memspice.engines.vacask import Vacask
from memspice.parameters import PARAMETER_SETS, ParameterSet, load_parameter_set
from tests.helpers import (
    ARRAYS,
    HAZARD_TOLERANCE,
    changed,
    hazard_integral,
    near_stimulus,
    simulate,
    small_layer,
    switched_set,
)

#: A parameter set with each neuron.
SETS = {load_parameter_set(name).neuron.kind: name for name in (*PARAMETER_SETS, switched_set())}
#: Those behind an ideal driver, whose common electrode is a constant.
DRIVEN = [kind for kind, block in NEURONS.items() if issubclass(block, DrivenNeuron)]
NEURON_COUNT = 2


def deck_of(values: ParameterSet) -> Deck:
    """Neurons of a set with their latches, without supplies and clocks."""
    deck = Deck("neurons", "alone")
    layer = small_layer(values.name)
    thresholds = np.ones((2, NEURON_COUNT))
    values.neuron.add(deck, values.latch, (layer.timing, layer.schedule), thresholds)
    return deck


def test_there_is_a_set_for_each_neuron() -> None:
    assert set(SETS) == set(NEURONS)
    assert {load_parameter_set(name).latch.kind for name in SETS.values()} == set(LATCHES)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", sorted(NEURONS))
def test_instances_have_the_terminals_of_the_subcircuit(kind: str) -> None:
    """Drive, clocks, threshold, supplies and spike, in both dialects."""
    values = load_parameter_set(SETS[kind])
    schedule = small_layer(SETS[kind]).schedule
    text = str(deck_of(values)).replace("\n+", " ")
    header = re.search(r"(?m)^\.subckt (\w+) ([^\n]*)$", text.split("One neuron")[1])
    assert header is not None
    vacask = Vacask.example(deck_of(values), "")
    for number in range(NEURON_COUNT):
        line = re.search(rf"(?m)^X{instance(number)[1:]} ([^\n]*)$", text)
        assert line is not None
        *terminals, name = (word for word in line[1].split() if "=" not in word)
        assert name == header[1]
        assert len(terminals) == len([word for word in header[2].split() if "=" not in word])
        supplies = (*values.neuron.supplies, *values.latch.terminals.values())
        expected = [nodes.drive(number), *values.neuron.clocks(schedule)]
        expected += [nodes.threshold(number), *supplies, nodes.spike(number)]
        # where a block has an ammeter in between, its node bears the name of the terminal
        ports = (f"{instance(number)}_{port}" for port in header[2].split())
        for node, plain, metered in zip(terminals, expected, ports, strict=False):
            assert node in (plain, metered)
        other = re.search(rf"(?m)^{instance(number)} \(([^)]*)\)", vacask)
        assert other is not None
        assert other[1].replace("\\", "").split() == terminals


@pytest.mark.parametrize("kind", sorted(NEURONS))
def test_clocks_have_edges_within_a_cycle(kind: str) -> None:
    layer = small_layer(SETS[kind])
    for clock in layer.neuron.clocks(layer.schedule).values():
        times = [time for time, _ in clock.train(layer.schedule.cycle, 2).points]
        assert times == sorted(times)
        assert 0 < times[1] < times[-1] < 2 * layer.schedule.cycle


@pytest.mark.parametrize("kind", sorted(NEURONS))
def test_a_read_tells_the_states_apart_and_a_spike_costs(kind: str) -> None:
    layer = small_layer(SETS[kind])
    neuron, latch = layer.neuron, layer.latch
    (on, off), resistance = neuron.read_levels()
    assert on != off
    assert min(on, off) > 0
    assert resistance > 0
    assert neuron.doubts(layer.timing) == []
    assert latch.doubts((on, off), resistance, layer.schedule) == []
    assert latch.doubts((off, off), resistance, layer.schedule) != []
    drive = np.full((1, 1), neuron.write_limits[1])
    powers = [float(neuron.write_power(drive, np.full((1, 1), on))[0]) for on in (0.0, 0.5, 1.0)]
    assert 0 < powers[0] <= powers[1] <= powers[2]
    reads = [float(neuron.read_power(np.full((1, 1), on))[0]) for on in (False, True)]
    assert reads[0] < reads[1]
    assert neuron.reset_energy(layer.schedule, layer.timing) > 0
    assert latch.spike_energy > 0
    assert latch.fired(np.array([0.0, layer.latch.supplies["logic"]])).tolist() == [False, True]


@pytest.mark.parametrize("kind", sorted(DRIVEN))
def test_a_common_electrode_shifts_the_drive_and_nothing_else(kind: str) -> None:
    """Only differences of voltages count: exact but for the solver's steps, 1e-5 relative."""
    grounded = small_layer(SETS[kind])
    layer = changed(grounded, "driver", common_electrode=-0.6)
    stimulus = near_stimulus(layer)
    plain, shifted = (simulate(each, stimulus, "reduced") for each in (grounded, layer))
    assert shifted.hazard == pytest.approx(plain.hazard, rel=HAZARD_TOLERANCE)
    assert shifted.hazard == pytest.approx(hazard_integral(layer, stimulus.row_voltage), rel=1e-3)
    assert (shifted.spikes == plain.spikes).all()
    assert 0 < plain.spikes.sum() < plain.spikes.size
    assert shifted.drive == pytest.approx(plain.drive, abs=1e-4)
    assert shifted.delivered == pytest.approx(plain.delivered, rel=1e-3)
    assert shifted.closure < 1e-3
    text = str(layer_deck(layer, stimulus, ARRAYS["reduced"]))
    assert "Vseen0 drive0 seen0 -0.6" in text
    assert "seen" not in str(layer_deck(grounded, stimulus, ARRAYS["reduced"]))
