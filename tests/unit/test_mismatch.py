"""Transistors that differ within a sense stage: their draws, and the three numbers of a neuron."""

from __future__ import annotations

import math
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import memspice as ms
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.blocks.subcircuit import SubcircuitSense, SubcircuitStage
from memspice.circuits.deck import Deck
from memspice.circuits.drawn_stages import AlikeStages, DrawnStages
from memspice.circuits.freepdk45 import transistor_cards
from memspice.circuits.library import Library, read_library
from memspice.circuits.mismatch import (
    StageMismatch,
    Transistor,
    circuit_hash,
    read_mismatch,
    refuse_gains,
    transistors_of,
)
from memspice.circuits.silicon import silicon
from memspice.circuits.stage_table import read_sense
from memspice.circuits.thresholds import threshold_parameter, with_thresholds
from memspice.errors import ConfigError, DataError, NetlistError
from memspice.network.ann import with_mean_inputs
from memspice.network.mapping import MappedNetwork, map_network, trimmed_layer
from memspice.network.trimming import MEASURED
from memspice.network.varied import drawn_stages
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path
from tests.loop_helpers import make_images, make_network
from tests.models import MODELS

#: Of a unit area, [V m].
AREA = 2e-9
STAGES = ("sense_burst", "sense_burst_driven")
MANY = 4000


def library(name: str = "sense_burst") -> Library:
    return read_library(resource_path("freepdk45", f"{name}.lib"), transistor_cards("nom"))


def two() -> StageMismatch:
    """A large and a small transistor."""
    gates = (
        Transistor("own", "a", "n_vtg", 1e-6, 1e-6),
        Transistor("own", "b", "p_vtg", 4e-7, 1e-7),
    )
    moves = np.array([[2.0, -10.0, 1e-6], [0.5, 20.0, 0.0]])
    return StageMismatch(gates, moves, (AREA, 2e-3, 0.05), least=0.0, held=1e-8)


def design(table: str = "sense_burst", spread: float = AREA) -> SubcircuitSense:
    path = resource_path("freepdk45", f"{table}.toml")
    found = read_sense(tomllib.loads(path.read_text(encoding="utf-8"))["sense"], path)
    axes = replace(found.axes, limits=(-1e-3, 1e-3))  # nothing is beyond what was measured
    return replace(found, mismatch=two(), area_spread=spread, axes=axes)


def stages_of(
    outputs: int, count: int = 1, seed: int = 3, spread: float = AREA, **changes: Any
) -> DrawnStages:
    """Transistors of stages side by side, drawn."""
    stage = SubcircuitStage(replace(design(spread=spread), **changes), count, 1.0)
    drawn = stage.drawn(outputs, np.random.default_rng(seed)).transistors
    assert isinstance(drawn, DrawnStages)
    return drawn


class Bent(SubcircuitStage):
    """A stage whose drive bends with the difference of its lines, without a surface."""

    @property
    def unmeasured(self) -> None:
        """None: it has a closed form."""

    def drive(self, current: np.ndarray, conductance: np.ndarray) -> np.ndarray:
        acting, _ = self._of_one(current, conductance)
        difference = acting[..., 0] - acting[..., 1]
        return np.asarray(1e5 * difference - 1e9 * difference * np.abs(difference))


# --- transistors and their text -------------------------------------------------------------------


def test_transistors_have_the_sizes_of_their_text() -> None:
    found = {
        one.name: one for one in transistors_of(library(), ("difference_copier", "charge_sum"))
    }
    assert len(found) == 31
    for name, kind, width, length in (
        ("m1", "n_vtg", 4e-6, 100e-9),  # by a parameter
        ("p", "p_vth", 500e-9, 500e-9),
        ("hn", "n_vtg", 120e-9, 50e-9),  # by the default of its kind
    ):
        one = found[name]
        assert (one.subcircuit, one.kind) == ("difference_copier", kind)
        assert (one.width, one.length) == pytest.approx((width, length))
    # a square micrometre differs by the area's own spread, a gate of 500 by 200 nm by 6.3 mV
    assert Transistor("own", "a", "n_vtg", 1e-6, 1e-6).spread(AREA) == pytest.approx(2e-3)
    assert found["an"].spread(AREA) == pytest.approx(AREA / math.sqrt(0.1e-12))
    odd = replace(library(), text=library().text.replace("w={m1}", "w={m3}"))
    with pytest.raises(NetlistError, match=r"difference_copier\.m1: the size '{m3}' is no number"):
        transistors_of(odd, ("difference_copier",))


@pytest.mark.parametrize("name", STAGES)
def test_every_drawn_transistor_has_a_parameter_of_the_stage(name: str) -> None:
    plain, others = library(name), ("clock_driver", "not", "n_vtg", "p_vth")
    transistors = transistors_of(plain, ("difference_copier", "charge_sum"))
    found = with_thresholds(plain, transistors)
    names = [threshold_parameter(one) for one in transistors]
    assert len(set(names)) == 31
    for owner in (name, "difference_copier", "charge_sum"):
        own = [each for each in names if owner == name or each.startswith(owner)]
        parameters = found.headers[owner].parameters
        assert {each: parameters[each] for each in own} == dict.fromkeys(own, "0")
        # what was there stays
        before = plain.headers[owner]
        assert found.headers[owner].terminals == before.terminals
        assert {each: parameters[each] for each in before.parameters} == dict(before.parameters)
    for owner in others:
        assert found.definitions.get(owner) == plain.definitions.get(owner)
    line = "Xan drive g 0 0 n_vtg_drawn w={wa} l={la} shift={charge_sum_an}"
    assert line in found.definitions["charge_sum"].splitlines()
    for kind in ("n_vtg", "n_vth", "p_vtg", "p_vth"):
        assert found.headers[f"{kind}_drawn"].parameters["shift"] == "0"
        assert found.definitions[f"{kind}_drawn"].count("delvto={shift}") == 1
    # the same area of gates, none of them twice
    assert silicon(found, name) == silicon(plain, name)
    assert with_thresholds(plain, ()).text == plain.text


def test_two_of_a_subcircuit_cannot_have_thresholds_of_their_own() -> None:
    again = "Xagain x drive2 integrate start startn ampn writen vamp vmid vrest vtail charge_sum"
    twice = library().text.replace("Xsum x drive", f"{again}\nXsum x drive")
    both = replace(library(), text=twice)
    with pytest.raises(NetlistError, match="sense_burst has more than one of charge_sum"):
        with_thresholds(both, transistors_of(both, ("charge_sum",)))


# --- draws and what they do -----------------------------------------------------------------------


def test_effect_is_straight_in_thresholds() -> None:
    mismatch = two()
    volts = np.array([[1e-3, 0.0], [0.0, 1e-3], [2e-3, 3e-3], [0.0, 0.0]])
    expected = [[2e-3, -0.01, 1e-9], [0.5e-3, 0.02, 0], [5.5e-3, 0.04, 2e-9], [0, 0, 0]]
    np.testing.assert_allclose(mismatch.effect(volts), expected, rtol=1e-12, atol=1e-25)
    # 2 mV on the large one, 10 mV on the other
    np.testing.assert_allclose(mismatch.spreads(AREA), [2e-3, 10e-3])
    np.testing.assert_allclose(
        mismatch.spread(AREA)[:2], [math.hypot(4e-3, 5e-3), math.hypot(0.02, 0.2)]
    )
    np.testing.assert_allclose(mismatch.spread(2 * AREA), 2 * mismatch.spread(AREA))


def test_lines_off_their_level_a_ratio_and_a_difference_act_like_other_currents() -> None:
    lines, cells = np.array([[3e-6, 2e-6], [5e-6, 5e-6]]), np.array([[1e-4, 2e-4], [1e-4, 1e-4]])
    volts = np.array([[1e-3, 0.0], [1e-3, 1e-3]])
    found = two().acting(volts, lines, cells)
    first = np.exp(-0.01) * (lines[0] - 2e-3 * cells[0]) + [0.5e-9, -0.5e-9]
    second = np.exp(0.01) * (lines[1] - 2.5e-3 * cells[1]) + [0.5e-9, -0.5e-9]
    np.testing.assert_allclose(found, [first, second], rtol=1e-12)
    np.testing.assert_array_equal(two().acting(0 * volts, lines, cells), lines)


@pytest.mark.parametrize("count", [1, 4])
def test_stages_of_neurons_have_the_spread_of_their_transistors(count: int) -> None:
    drawn = stages_of(MANY, count)
    assert drawn.thresholds.shape == (MANY, 2)
    # stages side by side share the drive; each bound is 4.5 standard errors of a normal draw
    values = drawn.thresholds / (two().spreads(AREA) / math.sqrt(count))
    error = 4.5 / math.sqrt(MANY)
    assert np.all(np.abs(values.mean(axis=0)) < error)
    assert np.all(np.abs(values.std(axis=0) - 1) < error / math.sqrt(2))
    assert abs(np.corrcoef(values.T)[0, 1]) < error
    again, other = (stages_of(MANY, count, seed) for seed in (3, 4))
    np.testing.assert_array_equal(again.thresholds, drawn.thresholds)
    assert not np.any(other.thresholds == drawn.thresholds)
    assert drawn.residual == pytest.approx(2e-3 / math.sqrt(count))
    assert stages_of(2, spread=2 * AREA).residual == pytest.approx(4e-3)
    np.testing.assert_array_equal(drawn.part(slice(3, 5)).thresholds, drawn.thresholds[3:5])


def test_drawn_stages_go_no_further_than_what_was_measured() -> None:
    drawn = stages_of(50, mismatch=replace(two(), sensitivities=np.array([[1.0, 0, 0], [0, 0, 0]])))
    shift, cells = drawn.thresholds[:, 0], np.full((50, 2), 1e-3)
    lines, limits = np.array([[1e-6, 2e-6]]).repeat(50, axis=0), (0.0, 3e-6)
    found = drawn.acting(lines, cells, limits)
    np.testing.assert_allclose(found, np.clip(lines - 1e-3 * shift[:, None], *limits), rtol=1e-12)
    off = (shift > 1e-3) | (shift < -1e-3)
    assert 0 < off.sum() < 50
    np.testing.assert_array_equal(drawn.beyond(lines, cells, limits), off)
    least = replace(drawn, mismatch=replace(drawn.mismatch, least=0.5e-6))
    low = (shift > 0.5e-3) | (shift < -1e-3)
    np.testing.assert_array_equal(least.beyond(lines, cells, limits), low)
    np.testing.assert_array_equal(AlikeStages().acting(-lines, cells, limits), -lines)
    assert not AlikeStages().beyond(-lines, cells, limits).any()


def test_stages_have_draws_of_their_own() -> None:
    stage = SubcircuitStage(design(), 1, 1.0)
    found = drawn_stages(stage, 9, 0, 1).transistors  # type: ignore[attr-defined]
    for other in ((0, 2), (1, 1)):
        another = drawn_stages(stage, 9, *other).transistors  # type: ignore[attr-defined]
        assert not np.any(another.thresholds == found.thresholds)
    alike = SubcircuitStage(design(spread=0.0), 1, 1.0)
    assert drawn_stages(alike, 9, 0, 1) is alike


# --- layers whose drive bends ---------------------------------------------------------------------


class BentDesign(SubcircuitSense):
    """Has such stages."""

    def sized(self, needs: SenseNeeds) -> SubcircuitStage:
        return Bent(self, 1, 1.0)


def mapped(spread: float = AREA, trim: float = 0.0) -> MappedNetwork:
    chosen = load_parameter_set(
        "fast-memristor", {"periphery.trim_step": trim, "periphery.trim_range": 0.5}
    )
    own = design(spread=spread)
    bent = BentDesign(**{one.name: getattr(own, one.name) for one in fields(own)})
    network = with_mean_inputs(make_network(), make_images())
    return map_network(network, replace(chosen, sense=bent), (128, 4), seed=5)


def test_a_bent_stage_is_trimmed_at_its_mean_levels() -> None:
    layer = mapped(trim=1e-6).layers[0]
    weights = layer.programmed.layer
    assert weights.mean_input is not None
    asked = weights.weighted(weights.mean_input) + weights.bias
    rows = layer.row_voltage(weights.mean_input)
    found = [one.log_hazard(one.unlimited_drive(rows)) for one in layer.circuits]
    inside = (asked > MEASURED[0]) & (asked < MEASURED[1])
    assert inside.sum() > 1
    # half a step of the trim is 0.5 uV of the 156 mV that change ln H by one
    np.testing.assert_allclose(np.concatenate(found)[inside], asked[inside], atol=1e-5)
    again = trimmed_layer(layer)
    for one, other in zip(layer.circuits, again.circuits, strict=True):
        np.testing.assert_array_equal(one.trim, other.trim)


def test_each_neuron_of_a_layer_has_the_stage_that_was_drawn_for_it() -> None:
    layer = mapped().layers[0]
    assert len(layer.circuits) > 1  # column groups, each neuron with its own
    whole = drawn_stages(Bent(design(), 1, 1.0), layer.outputs, 0, 5)
    thresholds = [one.sense.transistors.thresholds for one in layer.circuits]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(np.concatenate(thresholds), whole.transistors.thresholds)  # type: ignore[attr-defined]
    lone = layer.circuit(range(layer.outputs - 1, layer.outputs)).sense
    np.testing.assert_array_equal(lone.transistors.thresholds, thresholds[-1][-1:])  # type: ignore[attr-defined]
    rows = layer.row_voltage(np.random.default_rng(2).random((6, layer.fan_in)))
    currents = np.concatenate([one.line_current(rows) for one in layer.circuits], axis=1)
    lines = np.concatenate([one.line_conductance for one in layer.circuits])
    expected = layer.circuits[0].bias_voltage + whole.drive(currents, lines)
    alike = mapped(0.0).layers[0].circuits[0].unlimited_drive(rows)
    assert np.abs(alike - expected[:, : alike.shape[1]]).min() > 1e-6
    found = [one.unlimited_drive(rows) for one in layer.circuits]
    np.testing.assert_allclose(np.concatenate(found, axis=1), expected, atol=1e-13)
    # and so does the network loop
    weight, offset = layer.current_line()
    inputs = rows[:, : layer.fan_in] / layer.circuits[0].array.read_voltage
    np.testing.assert_allclose(layer.drive(inputs @ weight.T + offset), expected, atol=1e-12)


# --- tables ---------------------------------------------------------------------------------------


def write(folder: Path, *, circuit: str | None = None, rows: str | None = None) -> Path:
    gates = transistors_of(library(), ("charge_sum",))[:1]
    own = circuit or circuit_hash(library(), gates)
    text = rows or '["charge_sum", "i", "n_vtg", 3e-7, 6e-8, 0.1, -2.0, 1e-14],'
    path = folder / "own_mismatch.toml"
    head = f'circuit = "{own}"\nresidual = [2e-9, 2e-3, 0.05]\nleast = 1e-6\nheld = 1e-8'
    path.write_text(f"[mismatch]\n{head}\ntransistors = [\n{text}\n]\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", STAGES)
def test_a_table_is_of_the_subcircuits_that_it_names(tmp_path: Path, name: str) -> None:
    found = read_mismatch(write(tmp_path), library(name))
    assert found.transistors == (Transistor("charge_sum", "i", "n_vtg", 3e-7, 6e-8),)
    np.testing.assert_array_equal(found.sensitivities, [[0.1, -2.0, 1e-14]])
    assert (found.residual, found.least, found.held) == ((2e-9, 2e-3, 0.05), 1e-6, 1e-8)


def test_a_stale_table_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    other = replace(library(), text=library().text.replace("wi=300n", "wi=310n"))
    with pytest.raises(DataError, match="measured with another text"):
        read_mismatch(path, other)
    elsewhere = replace(library(), text=library().text.replace("m2=2u", "m2=2.1u"))
    read_mismatch(path, elsewhere)  # of a subcircuit that the table is not about
    with pytest.raises(DataError, match="not in"):
        read_mismatch(path, library("sense_copier"))


@pytest.mark.parametrize(
    "rows",
    ['["charge_sum", "i"],', '["charge_sum", "i", "n_vtg", 0.0, 6e-8, 1, 1, 1],', "3,",
     '["charge_sum", "i", "n_vtg", 3e-7, 6e-8, nan, 1, 1],'],
)  # fmt: skip
def test_a_table_of_something_else_is_refused(tmp_path: Path, rows: str) -> None:
    with pytest.raises(DataError, match="no table of sensitivities"):
        read_mismatch(write(tmp_path, rows=rows), library())


def test_a_stage_without_a_table_refuses_a_spread() -> None:
    own = replace(design("sense_copier"), mismatch=None)
    with pytest.raises(ConfigError, match=r"2e-09 V m.*sense_copier_driven was not measured"):
        SubcircuitStage(own, 1, 1.0).with_surface(None)  # type: ignore[arg-type]
    SubcircuitStage(replace(own, area_spread=0.0), 1, 1.0).with_surface(None)  # type: ignore[arg-type]


def test_the_periphery_knows_its_stage_of_bursts() -> None:
    changes = {"mismatch.area_spread": AREA}
    chosen = load_parameter_set("fast-memristor", changes, periphery="freepdk45")
    needs = SenseNeeds(1e5, 5e-6, (100e-6, 100e-6), 3e-8, "own", "a test")
    drawn = chosen.sense.for_bursts(8).sized(needs).drawn(MANY, np.random.default_rng(1))
    table = read_mismatch(resource_path("freepdk45", "sense_burst_mismatch.toml"), library())
    thresholds = drawn.transistors.thresholds  # type: ignore[attr-defined]
    # 4.5 standard errors of a standard deviation
    found = table.effect(thresholds).std(axis=0)
    np.testing.assert_allclose(found, table.spread(AREA), rtol=4.5 / math.sqrt(2 * MANY))
    assert drawn.residual == table.residual_of(AREA)[0] > 0
    # nothing is read of tables where transistors are alike
    alike = load_parameter_set("fast-memristor", periphery="freepdk45").sense.for_bursts(8)
    assert alike.mismatch is None  # type: ignore[attr-defined]


def test_a_deck_refuses_gains_that_its_subcircuit_does_not_have() -> None:
    stage = SubcircuitStage(design(), 1, 1.0)
    with pytest.raises(ConfigError, match=r"of output 1 has 0\.9 of its gain"):
        stage.add(
            Deck("own", "alone"),
            np.zeros(3),
            np.array([1.0, 0.9, 1.05]),
            np.full(6, 1e-4),
            (0.0, 1.0),
        )
    refuse_gains("own", np.ones(3))


def test_a_network_has_the_stage_whose_transistors_are_known() -> None:
    changes = {"mismatch.area_spread": AREA}
    chosen = load_parameter_set("fast-memristor", changes, periphery="freepdk45")
    single, bursts = (
        map_network(make_network(), replace(chosen, sense=chosen.sense.for_bursts(burst)))
        for burst in (1, 8)
    )
    for one in (single, bursts):
        assert one.layers[0].circuits[0].variation is None
    assert single.layers[0].circuits[0].sense.residual == 0  # refused with its surface
    own = bursts.layers[0].circuits[0].sense
    assert 1e-3 < own.transistors.thresholds.std() < 30e-3  # type: ignore[attr-defined]
    assert bursts.layers[-1].circuits[0].sense.residual == 0


def test_flaws_of_transistors_follow_from_their_area_and_do_not_count_twice() -> None:
    usual, transistors = (
        ms.load_device("fast-memristor", periphery).with_flaws().changes
        for periphery in ("behavioural", "freepdk45")
    )
    assert (usual["neuron.threshold_spread"], transistors["neuron.threshold_spread"]) == (5e-3, 0)
    assert transistors["mismatch.area_spread"] == 2e-9
    assert "mismatch.area_spread" not in usual
    with pytest.raises(ConfigError, match=r"mismatch.area_spread cannot be changed"):
        _ = MODELS.change(**{"mismatch.area_spread": 2e-9}).parameters
