"""What every sense stage of the package promises, and one of the user's own in Python."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from memspice.circuits import nodes
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks import SENSE_STAGES
from memspice.circuits.blocks.sense import SenseStage
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.blocks.transimpedance import Transimpedance, TransimpedanceStage
from memspice.circuits.deck import Deck
from memspice.circuits.layer import LayerCircuit
from memspice.engines.vacask import Vacask
from memspice.errors import ConfigError
from memspice.network.batch import Window
from memspice.network.mapping import map_network
from memspice.network.weights import load_network
from memspice.parameters import ParameterSet, load_parameter_set
from memspice.windows.agreement import judge
from memspice.windows.fidelity import window_jobs
from memspice.windows.outcome import outcome
from memspice.windows.reduced import Reduced
from memspice.windows.surrogate import Surrogate
from tests.helpers import ngspice, simulate, small_layer

ASKED, OUTPUTS = 3e4, 3
LIMITS = (-0.9, 0.9)
KINDS = sorted(SENSE_STAGES)


def stage_of(kind: str) -> SenseStage:
    """Stage of a kind for a layer that asks for 30 kohm."""
    changes = {"sense.kind": kind}
    changes |= {"sense.sense_resistance": 2e4} if kind == "resistive" else {}
    sense = load_parameter_set("fast-memristor", changes).sense
    return sense.sized(SenseNeeds(ASKED, 2e-5, (1e-4, 2e-4), 2e-8, "dense1", "its weights"))


def layer_with(kind: str) -> LayerCircuit:
    """Small accumulating layer with stages of a kind."""
    return replace(small_layer(spiking=False), sense=stage_of(kind), write_limits=LIMITS)


def instances(stage: SenseStage) -> list[list[str]]:
    """Elements of a deck of the stage alone, below its subcircuits, word by word."""
    deck = Deck("sense", "alone")
    stage.add(deck, np.zeros(OUTPUTS), np.ones(OUTPUTS), np.full(2 * OUTPUTS, 1e-4), LIMITS)
    text = re.sub(r"(?ms)^\.subckt.*?^\.ends[^\n]*$", "", str(deck).replace("\n+", " "))
    return [line.split() for line in text.splitlines() if line[:1] in ("X", "R", "C")]


def own_nodes(words: list[str]) -> list[str]:
    """Nodes of an element."""
    if words[0][0] != "X":
        return words[1:3]
    return [word for word in words[1:] if "=" not in word][:-1]


@pytest.mark.parametrize("kind", KINDS)
def test_stages_meet_the_others_at_the_nodes_of_a_layer(kind: str) -> None:
    """Each bit line and each drive is reached; what else has a name of the layer is not."""
    stage = stage_of(kind)
    used = {node for words in instances(stage) for node in own_nodes(words)}
    lines = {line for output in range(OUTPUTS) for line in nodes.bit_lines(output)}
    assert lines <= used
    assert {nodes.drive(output) for output in range(OUTPUTS)} <= used
    schedule = small_layer().schedule
    assert {*stage.supplies, *stage.clocks(schedule)} <= used
    foreign = {nodes.spike(0), nodes.threshold(0), nodes.bit_line(2 * OUTPUTS)}
    assert not foreign & used


@pytest.mark.parametrize("kind", KINDS)
def test_both_dialects_have_the_same_terminals(kind: str) -> None:
    deck = Deck("sense", "alone")
    stage_of(kind).add(
        deck, np.zeros(OUTPUTS), np.ones(OUTPUTS), np.full(2 * OUTPUTS, 1e-4), LIMITS
    )
    other = re.findall(r"(?m)^(\w+) \(([^)]*)\) ", Vacask.example(deck, ""))
    terminals = {name.lower(): found.split() for name, found in other}
    for words in instances(stage_of(kind)):
        assert terminals[words[0].lower()] == own_nodes(words)


@pytest.mark.parametrize("kind", KINDS)
def test_clocks_have_edges_within_a_cycle(kind: str) -> None:
    schedule = small_layer().schedule
    for clock in stage_of(kind).clocks(schedule).values():
        times = [time for time, _ in clock.train(schedule.cycle, 2).points]
        assert times == sorted(times)
        assert len(times) > 4
        assert times[-1] < 2 * schedule.cycle


@pytest.mark.parametrize("kind", KINDS)
def test_the_closed_form_is_straight_and_its_energy_grows_from_the_idle_one(kind: str) -> None:
    stage, schedule = stage_of(kind), small_layer().schedule
    assert stage.transimpedance == pytest.approx(ASKED, rel=1e-12)
    current = np.random.default_rng(3).uniform(0, 1e-5, (4, 2 * OUTPUTS))
    conductance = np.full(2 * OUTPUTS, 1e-4)
    expected = ASKED * (current[:, 0::2] - current[:, 1::2])
    np.testing.assert_allclose(stage.drive(current, conductance), expected, rtol=1e-12)
    for held in (False, True):
        idle = stage.idle_energy(OUTPUTS, schedule, held=held)
        none = stage.energy(np.zeros((1, 2 * OUTPUTS)), conductance, schedule, held=held)
        np.testing.assert_allclose(none, idle, rtol=1e-12)
        assert (stage.energy(current, conductance, schedule, held=held) > idle).all()
    assert stage.idle_energy(1, schedule, held=True) > stage.idle_energy(1, schedule, held=False)


@pytest.mark.ngspice
@pytest.mark.parametrize("kind", KINDS)
def test_closed_form_and_spice_agree(kind: str) -> None:
    """Drive to 1e-4 (settling), energy to 0.2 %: edges, and lines that settle to their current."""
    layer = layer_with(kind)
    rows = np.random.default_rng(4).uniform(0, 0.1, (2, layer.rows))
    found = simulate(layer, Stimulus(rows, np.ones((2, layer.outputs))), "reduced")
    np.testing.assert_allclose(found.drive, layer.drive_voltage(rows), rtol=1e-4, atol=1e-5)
    energy = layer.sense.energy(
        layer.line_current(rows), layer.line_conductance, layer.schedule, held=False
    )
    simulated = np.trapezoid(found.power.sense.sum(axis=0), found.power.time)
    assert simulated == pytest.approx(energy.sum(), rel=2e-3)
    assert found.closure < 1e-3


# --- a stage of the user's own ----------------------------------------------------------------


class FixedStage(TransimpedanceStage):
    """Transimpedance stage whose gain is not the layer's to choose."""

    scale: float

    @property
    def row_scale(self) -> float:
        """What is missing of the gain comes from the rows."""
        return self.scale


class FixedGain(Transimpedance):
    """Design of it."""

    fixed_gain: float

    def sized(self, needs: SenseNeeds) -> FixedStage:
        """Ask the rows for what the gain lacks."""
        shared = self.model_dump(exclude={"fixed_gain"})
        sizes = {"feedback_resistance": 2e4, "difference_gain": self.fixed_gain}
        stage = FixedStage(**shared, **sizes, scale=1.0)
        scale = needs.transimpedance / stage.transimpedance
        return stage.model_copy(update={"scale": scale})


def parameter_set(fixed_gain: float) -> ParameterSet:
    """Set with that stage in the place of its own."""
    values = load_parameter_set("fast-memristor")
    shared = values.sense.model_dump(exclude={"kind"})  # type: ignore[attr-defined]
    sense = FixedGain(**shared, fixed_gain=fixed_gain)
    return replace(values, sense=sense)


@pytest.mark.ngspice
def test_a_layer_is_fitted_to_a_stage_of_fixed_gain() -> None:
    layer = map_network(load_network("digits-mlp"), parameter_set(8.0), (128, 8)).layers[0]
    stage = layer.circuits[0].sense
    assert stage.row_scale != 1
    assert layer.circuits[0].array.read_voltage == pytest.approx(0.1 * stage.row_scale)
    inputs = (np.random.default_rng(5).random((2, 64)) < 0.5).astype(float)
    window = Window(layer.name, 0, 0)
    job = window_jobs(layer, window, inputs, Reduced(ngspice()), seed=0)[0]
    assert judge(job, outcome(job.fidelity.run(job))).holds
    exact = map_network(load_network("digits-mlp"), load_parameter_set("fast-memristor"), (128, 8))
    drives = [
        window_jobs(each, window, inputs, Surrogate(), seed=0)[0].circuit.drive_voltage(
            each.row_voltage(inputs)
        )
        for each in (layer, exact.layers[0])
    ]
    # Other feedback gives the lines another end, of 2 ohm behind some 300 uS.
    np.testing.assert_allclose(*drives, rtol=1e-3)


def test_rows_that_a_stage_drives_too_far_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"drive_limit.* row"):
        map_network(load_network("digits-mlp"), parameter_set(0.01))
