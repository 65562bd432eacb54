"""A reduced window cut into decks of a few neurons: the same answer as in one deck."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.layer import square_layer
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.energy_model import COMPONENTS, closed_form_energy
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.circuits.port_power import port_power
from memspice.engines import find_engine
from memspice.engines.base import Engine
from memspice.errors import ConfigError
from memspice.network.batch import Window
from memspice.network.mapping import MappedLayer
from memspice.windows import reduced as module
from memspice.windows.fidelity import window_jobs
from memspice.windows.outcome import Outcome, join_windows, outcome
from memspice.windows.reduced import Reduced
from memspice.windows.surrogate import Surrogate, surrogate_events
from tests.cross.test_burst_layer import burst_layer
from tests.helpers import ARRAYS, fidelity_of, ngspice, small_layer

SIZE, OUTPUTS, CYCLES = 16, 8, 3
CUTS = {"one": 8, "two": 4, "uneven": 3, "each": 1}


@pytest.fixture(params=CUTS)
def cut(request: pytest.FixtureRequest) -> list[range]:
    """Outputs of each deck."""
    count = -(-OUTPUTS // CUTS[request.param])
    edges = [OUTPUTS * k // count for k in range(count + 1)]
    return [range(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]


def layer() -> MappedLayer:
    return square_layer(SIZE)


def inputs() -> np.ndarray:
    return (np.random.default_rng(1).random((CYCLES, SIZE - 1)) < 0.5).astype(float)


def coupled() -> LayerCircuit:
    """Two row tiles with long wires, weak drivers and no virtual grounds."""
    weights = np.random.default_rng(2).uniform(-0.8, 0.8, (10, OUTPUTS))
    return small_layer(
        weights=weights,
        tiles=2,
        resistive=True,
        wire_resistance_row=20.0,
        wire_resistance_col=30.0,
        driver_resistance=9e3,
    )


def powers(circuit: LayerCircuit, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Power of sources, of drivers, of cells and wires in each cycle, shape (3, cycles), [W]."""
    cycles = np.arange(len(rows))
    found = port_power(circuit, rows, cycles, np.ones(len(rows)), columns[:, circuit.columns])
    return np.stack([found.delivered, found.driver, found.crossbar])


# --- power of a part ------------------------------------------------------------------------------


def test_power_of_a_whole_layer_is_that_of_its_ports() -> None:
    circuit, rng = coupled(), np.random.default_rng(3)
    rows, columns = rng.uniform(0, 0.1, (4, 10)), rng.uniform(-0.1, 0.1, (4, 2 * OUTPUTS))
    delivered, driver, crossbar = powers(circuit, rows, columns)
    parts = list(zip(circuit.ports.tiles, circuit.ports.split_rows(rows), strict=True))
    currents = [part @ tile.row_row + columns @ tile.row_col.T for tile, part in parts]
    expected = np.sum([np.sum(p * i, axis=1) for (_, p), i in zip(parts, currents, strict=True)], 0)
    np.testing.assert_allclose(delivered, expected, rtol=1e-12)
    squares = np.sum([np.sum(current**2, axis=1) for current in currents], axis=0)
    np.testing.assert_allclose(driver, 9e3 * squares, rtol=1e-12)
    total = np.sum([tile.power(part, columns) for tile, part in parts], axis=0)
    np.testing.assert_allclose(driver + crossbar, total, rtol=1e-12)


@pytest.mark.parametrize("height", [1.0, 0.0, 7.0])
def test_powers_of_parts_add_up(cut: list[range], height: float) -> None:
    """Exactly, while all bit lines follow the same course: settled, held at ground, or not yet."""
    circuit, rows = coupled(), np.random.default_rng(4).uniform(0, 0.1, (4, 10))
    columns = height * rows @ circuit.ports.column_voltage.T
    parts = np.sum([powers(circuit.part(outputs), rows, columns) for outputs in cut], axis=0)
    np.testing.assert_allclose(parts, powers(circuit, rows, columns), rtol=1e-11)


def test_bit_lines_that_differ_change_only_what_they_do_to_each_other(cut: list[range]) -> None:
    circuit, rng = coupled(), np.random.default_rng(5)
    rows = rng.uniform(0, 0.1, (4, 10))
    settled = rows @ circuit.ports.column_voltage.T
    columns = settled * rng.uniform(0.9, 1.1, settled.shape)
    parts = np.sum([powers(circuit.part(outputs), rows, columns) for outputs in cut], axis=0)
    whole = powers(circuit, rows, columns)
    # What bit lines draw from the rows does not depend on the others.
    np.testing.assert_allclose(parts[0], whole[0], rtol=1e-11)
    # Each line is at 0.9 to 1.1 of its settled voltage, and so is the height that a part sees: what
    # it takes the others to be at is wrong by at most 1.1 / 0.9 - 1 = 23 %.
    admittance = np.abs(circuit.ports.column_admittance)
    np.fill_diagonal(admittance, 0.0)
    bound = 0.23 * np.sum((np.abs(columns) @ admittance) * np.abs(columns), axis=1)
    assert np.all(np.abs((parts - whole)[1:].sum(axis=0)) <= bound + 1e-12 * whole[0])


def test_closed_form_of_parts_adds_up(cut: list[range]) -> None:
    circuit, rng = layer().circuits[0], np.random.default_rng(6)
    rows = layer().row_voltage(inputs())
    hazard, thresholds = rng.exponential(size=(2, CYCLES, OUTPUTS))
    whole = closed_form_energy(circuit, rows, hazard, thresholds)
    found = dict.fromkeys(COMPONENTS, np.zeros(CYCLES))
    for outputs in cut:
        own = slice(outputs.start, outputs.stop)
        part = closed_form_energy(circuit.part(outputs), rows, hazard[:, own], thresholds[:, own])
        found = {name: found[name] + part[name] for name in COMPONENTS}
    for name in COMPONENTS:
        np.testing.assert_allclose(found[name], whole[name], rtol=1e-11)


# --- what a deck is made of -----------------------------------------------------------------------


def sources(circuit: LayerCircuit, rows: np.ndarray) -> np.ndarray:
    """Points of all Norton sources and conductances of a reduced deck, in their order."""
    stimulus = Stimulus(rows, np.ones((len(rows), circuit.outputs)))
    text = str(layer_deck(circuit, stimulus, ARRAYS["reduced"])).replace("\n+", " ")
    lines = re.findall(r"^[IR]column\d+ \S+ \S+ (.*)$", text, re.MULTILINE)
    values = [re.findall(r"\d[-+.e\d]*", line) for line in lines]
    assert len(lines) == 4 * circuit.outputs
    return np.array([float(value) for line in values for value in line])


def test_a_part_drives_as_the_whole(cut: list[range]) -> None:
    circuit = coupled()
    rows = np.random.default_rng(7).uniform(0, 0.1, (4, 10))
    parts = [circuit.part(outputs) for outputs in cut]
    assert all(part.ports is circuit.ports for part in parts)  # reduced once
    assert circuit.part(range(2, 8)).part(range(1, 3)).columns == slice(6, 10)
    found = np.concatenate([sources(part, rows) for part in parts])
    np.testing.assert_allclose(found, sources(circuit, rows), rtol=1e-11)  # 12 digits
    drives = np.concatenate([part.drive_voltage(rows) for part in parts], axis=1)
    np.testing.assert_allclose(drives, circuit.drive_voltage(rows), rtol=1e-14)


def test_a_part_is_not_built_in_full() -> None:
    part = coupled().part(range(2, 4))
    with pytest.raises(ConfigError, match="2 of 8 neurons cannot be a full deck"):
        layer_deck(part, Stimulus(np.ones((1, 10)), np.ones((1, 2))), ARRAYS["full"])


def grouped() -> MappedLayer:
    """Two column groups of eight outputs."""
    return replace(layer(), circuits=layer().circuits * 2)


def test_only_reduced_is_cut_and_every_output_is_in_one_deck() -> None:
    assert fidelity_of("full").parts(grouped()) == [range(8), range(8, 16)]
    assert Surrogate().parts(grouped()) == fidelity_of("full").parts(grouped())
    decks = fidelity_of("reduced").parts(grouped())
    assert [number for outputs in decks for number in outputs] == list(range(16))
    assert max(map(len, decks)) <= module.DECK_OUTPUTS
    assert len({len(outputs) for outputs in decks}) == 1


def test_reduced_decks_of_transistors_have_one_output_and_lumped_transistors() -> None:
    circuit = burst_layer()
    assert circuit.fine
    assert fidelity_of("reduced").decks(circuit) == 1  # type: ignore[attr-defined]
    wide = replace(circuit, conductances=tuple(tile.repeat(3, 1) for tile in circuit.conductances))
    assert fidelity_of("reduced").decks(wide) == 3  # type: ignore[attr-defined]
    stimulus = Stimulus(np.zeros((2, 3)), np.ones((2, 1)), burst=2)
    deck = layer_deck(circuit, stimulus, ARRAYS["reduced"])
    before, after = str(deck), str(deck.lumped())
    for resistance in ("rbodymod=1", "rgatemod=1"):
        assert resistance in before
        assert resistance not in after
    restored = after.replace("rbodymod=0", "rbodymod=1").replace("rgatemod=0", "rgatemod=1")
    assert set(restored.splitlines()) - set(before.splitlines()) == {
        "* Gates and bodies of transistors have no resistance of their own"
    }
    assert str(deck) == before
    job: Any = SimpleNamespace(circuit=circuit, stimulus=lambda: stimulus)
    assert str(fidelity_of("reduced").deck(job)) == after  # type: ignore[attr-defined]
    assert not layer().circuits[0].fine


@pytest.mark.parametrize("outputs", [range(7, 9), range(12, 17), range(3, 3)])
def test_outputs_of_no_single_group(outputs: range) -> None:
    with pytest.raises(
        ConfigError, match=rf"group of outputs {outputs.start} to.*\[8, 8\] outputs"
    ):
        grouped().circuit(outputs)


def test_draws_and_names_are_those_of_the_outputs() -> None:
    window = Window(layer().name, 0, 0)
    (whole,) = window_jobs(grouped(), window, inputs(), Surrogate(), seed=1)[1:]
    jobs = window_jobs(grouped(), window, inputs(), fidelity_of("reduced"), seed=1)[2:]
    draws = np.concatenate([job.stimulus().thresholds for job in jobs], axis=1)
    np.testing.assert_array_equal(draws, whole.stimulus().thresholds)
    names = [job.name for job in jobs]
    window_name = "dense1/image00000_position0000"
    assert names == [f"{window_name}_outputs{own}_reduced" for own in ("008_011", "012_015")]
    assert len({job.key for job in jobs}) == 2


# --- through an engine ----------------------------------------------------------------------------


def simulated(engine: Engine, decks: int, monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    monkeypatch.setattr(module, "DECK_OUTPUTS", -(-OUTPUTS // decks))
    jobs = window_jobs(layer(), Window(layer().name, 0, 0), inputs(), Reduced(engine), seed=1)
    assert len(jobs) == decks
    return [outcome(job.fidelity.run(job)) for job in jobs]


def check_same(one: Outcome, other: Outcome) -> None:
    """The circuits are the same, only the time steps differ: see `solver_options`."""
    np.testing.assert_array_equal(one.thresholds, other.thresholds)
    np.testing.assert_array_equal(one.spikes, other.spikes)
    assert 0 < one.spikes.sum() < one.spikes.size
    np.testing.assert_allclose(one.drive, other.drive, atol=1e-9)
    # The charge tolerance holds a hazard integral to 0.1 %, the energy of a reset to 0.3 %.
    np.testing.assert_allclose(one.hazard, other.hazard, rtol=1e-3, atol=1e-6)
    for name in COMPONENTS:
        tolerance = 3e-3 if name == "neuron_reset" else 1e-3
        assert one.energy[name] == pytest.approx(other.energy[name], rel=tolerance)


def check_any_number_of_decks(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = simulated(engine, 1, monkeypatch)
    for decks in (2, 8):
        parts = simulated(engine, decks, monkeypatch)
        assert [part.first_output for part in parts] == list(range(0, OUTPUTS, OUTPUTS // decks))
        for part in parts:
            assert part.closure is not None
            assert part.closure < 1e-4  # the aim for a whole layer
        (joined,) = join_windows(parts[::-1])
        check_same(joined, whole)


@pytest.mark.ngspice
def test_any_number_of_decks_gives_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    check_any_number_of_decks(ngspice(), monkeypatch)


@pytest.mark.vacask
def test_any_number_of_decks_gives_the_same_answer_in_vacask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check_any_number_of_decks(find_engine("vacask"), monkeypatch)


def test_windows_are_joined_in_the_order_of_outputs() -> None:
    jobs = [
        job
        for image in (3, 1)
        for job in window_jobs(grouped(), Window("dense1", image, 0), inputs(), Surrogate(), seed=1)
    ]
    parts = [outcome(job.fidelity.run(job)) for job in jobs]
    joined = join_windows([parts[1], parts[2], parts[0], parts[3]])
    assert [item.window.image for item in joined] == [3, 1]
    expected = [surrogate_events(job)["hazard"] for job in jobs[:2]]
    np.testing.assert_array_equal(joined[0].hazard, np.concatenate(expected, axis=1))
    energy: Any = [part.energy["sense"] for part in parts[:2]]
    assert joined[0].energy["sense"] == pytest.approx(sum(energy))
    assert joined[0].closure is None
