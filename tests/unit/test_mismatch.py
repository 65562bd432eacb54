"""Transistors that differ within a sense stage: their draws, and the two numbers of a neuron."""

from __future__ import annotations

import math
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

import memspice as ms
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.blocks.subcircuit import SubcircuitSense, SubcircuitStage
from memspice.circuits.deck import Deck
from memspice.circuits.freepdk45 import transistor_cards
from memspice.circuits.library import Library, read_library
from memspice.circuits.mismatch import (
    StageMismatch,
    Transistor,
    circuit_hash,
    read_mismatch,
    refuse_gains,
    transistors_of,
    with_thresholds,
)
from memspice.circuits.stage_table import read_sense
from memspice.errors import ConfigError, DataError, NetlistError
from memspice.network.ann import with_mean_inputs
from memspice.network.mapping import MappedNetwork, map_network, trimmed_layer
from memspice.network.trimming import MEASURED
from memspice.network.varied import drawn_neurons
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path
from tests.loop_helpers import make_images, make_network

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
    return StageMismatch(gates, np.array([[2.0, -10.0, 1e-13], [0.5, 20.0, 0.0]]))


def design(table: str = "sense_burst", spread: float = AREA) -> SubcircuitSense:
    path = resource_path("freepdk45", f"{table}.toml")
    found = read_sense(tomllib.loads(path.read_text(encoding="utf-8"))["sense"], path)
    return replace(found, mismatch=two(), area_spread=spread)


class Bent(SubcircuitStage):
    """A stage whose drive bends with the difference of its lines, without a surface."""

    @property
    def unmeasured(self) -> None:
        """None: it has a closed form."""

    def drive(self, current: np.ndarray, conductance: np.ndarray) -> np.ndarray:
        difference = current[..., 0::2] - current[..., 1::2]
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
    # a square micrometre differs by the area's own spread, a gate of 1 um by 200 nm by 4.5 mV
    assert Transistor("own", "a", "n_vtg", 1e-6, 1e-6).spread(AREA) == pytest.approx(2e-3)
    assert found["an"].spread(AREA) == pytest.approx(AREA / math.sqrt(0.2e-12))
    odd = replace(library(), text=library().text.replace("w={m1}", "w={m3}"))
    with pytest.raises(NetlistError, match=r"difference_copier\.m1: the size '{m3}' is no number"):
        transistors_of(odd, ("difference_copier",))


def test_thresholds_reach_the_transistors_that_are_named() -> None:
    plain, shifts = library(), {("charge_sum", "an"): 3e-3, ("difference_copier", "m1"): -2e-3}
    shifted = with_thresholds(plain, shifts)
    assert with_thresholds(plain, {}).text == plain.text
    changed = [
        (old, new)
        for old, new in zip(plain.text.splitlines(), shifted.text.splitlines(), strict=True)
        if old != new
    ]
    assert (
        "Xan drive g 0 0 n_vtg w={wa} l={la}",
        "Xan drive g 0 0 n_vtg w={wa} l={la} shift=0.003",
    ) in changed
    assert (
        "Xm1 b gate 0 0 n_vtg w={m1} l=100n",
        "Xm1 b gate 0 0 n_vtg w={m1} l=100n shift=-0.002",
    ) in changed
    # the kinds of both subcircuits get the parameter, and hand it on
    kinds = {"n_vtg", "n_vth", "p_vtg", "p_vth"}
    assert len(changed) == 2 + 2 * len(kinds)
    for kind in kinds:
        assert shifted.headers[kind].parameters["shift"] == "0"
        assert shifted.definitions[kind].count("delvto={shift}") == 1
        assert plain.definitions[kind].count("delvto") == 0


# --- draws and what they do -----------------------------------------------------------------------


def test_effect_is_straight_in_drive_and_ln_gain() -> None:
    mismatch = two()
    volts = np.array([[1e-3, 0.0], [0.0, 1e-3], [2e-3, 3e-3], [0.0, 0.0]])
    expected = [[2e-3, -0.01, 1e-16], [0.5e-3, 0.02, 0], [5.5e-3, 0.04, 2e-16], [0, 0, 0]]
    np.testing.assert_allclose(mismatch.effect(volts), expected, rtol=1e-12, atol=1e-25)
    # 2 mV on the large one, 10 mV on the other
    np.testing.assert_allclose(mismatch.spreads(AREA), [2e-3, 10e-3])
    np.testing.assert_allclose(
        mismatch.spread(AREA)[:2], [math.hypot(4e-3, 5e-3), math.hypot(0.02, 0.2)]
    )
    np.testing.assert_allclose(mismatch.spread(2 * AREA), 2 * mismatch.spread(AREA))


@pytest.mark.parametrize("count", [1, 4])
def test_stages_of_neurons_have_the_spread_of_their_transistors(count: int) -> None:
    stage = SubcircuitStage(design(), count, 1.0)
    drawn = stage.drawn(MANY, np.random.default_rng(3))
    assert drawn is not None
    offset, gain = drawn
    whole = two().spread(AREA)[:2] / math.sqrt(count)  # stages side by side share the drive
    # each of the five bounds is 4.5 standard errors of a normal draw: 99.99 % for all together
    values = np.stack([offset, np.log(gain)]) / whole[:, None]
    error = 4.5 / math.sqrt(MANY)
    assert np.all(np.abs(values.mean(axis=1)) < error)
    assert np.all(np.abs(values.std(axis=1) - 1) < error / math.sqrt(2))
    first, second = two().sensitivities[:, :2].T * two().spreads(AREA)
    alike = -float(first @ second) / math.hypot(*first) / math.hypot(*second)  # the drive falls
    assert np.corrcoef(values)[0, 1] == pytest.approx(alike, abs=error)
    assert stage.drawn(MANY, np.random.default_rng(4))[0][0] != offset[0]  # type: ignore[index]


@pytest.mark.parametrize(("table", "sign"), [("sense_burst", 1), ("sense_copier", -1)])
def test_a_drive_above_the_nominal_one_makes_a_neuron_that_is_written_by_low_ones_spike_less(
    table: str, sign: int
) -> None:
    lone = replace(two(), transistors=two().transistors[:1], sensitivities=np.array([[1.0, 0, 0]]))
    stage = SubcircuitStage(replace(design(table), mismatch=lone), 1, 1.0)
    device = load_parameter_set("fast-memristor").neuron.device
    found = drawn_neurons(device, stage, 50, 1, 7)
    assert found is not None
    assert stage.polarity == -sign
    np.testing.assert_array_equal(found.sense_gain, 1.0)
    rng = np.random.default_rng([7, 1, 0x7468726573])
    shift = lone.thresholds((50, 1), AREA, rng)[:, 0, 0]
    np.testing.assert_allclose(found.threshold_shift, sign * shift, rtol=1e-12)


def test_stages_have_draws_of_their_own() -> None:
    stage = SubcircuitStage(design(), 1, 1.0)
    plain = load_parameter_set("fast-memristor").neuron.device
    varied = plain.model_copy(update={"time_scale_spread": 0.2, "gain_spread": 0.1})  # type: ignore[union-attr]
    alone, device = (drawn_neurons(one, stage, 9, 0, 1) for one in (plain, varied))
    lone = drawn_neurons(varied, SubcircuitStage(design(spread=0.0), 1, 1.0), 9, 0, 1)
    assert alone is not None
    assert device is not None
    assert lone is not None
    np.testing.assert_array_equal(device.time_scale, lone.time_scale)  # no other draw has moved
    np.testing.assert_array_equal(device.threshold_shift, alone.threshold_shift)
    np.testing.assert_array_equal(device.sense_gain, lone.sense_gain * alone.sense_gain)
    law = plain.hazard
    np.testing.assert_array_equal(alone.voltage_scale, law.voltage_scale)
    np.testing.assert_array_equal(alone.time_scale, law.time_scale)
    for other in ((0, 2), (1, 1)):
        found = drawn_neurons(plain, stage, 9, *other)
        assert found is not None
        assert not np.any(found.threshold_shift == alone.threshold_shift)
    assert drawn_neurons(plain, SubcircuitStage(design(spread=0.0), 1, 1.0), 9, 0, 1) is None


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


def test_gain_is_of_what_a_bent_stage_makes_of_currents() -> None:
    alike, varied = (mapped(spread).layers[0] for spread in (0.0, AREA))
    assert len(varied.circuits) > 1  # column groups, each neuron with its own
    rows = varied.row_voltage(np.random.default_rng(2).random((6, varied.fan_in)))
    made = [one.unlimited_drive(rows) - one.bias_voltage for one in alike.circuits]
    found = [one.unlimited_drive(rows) for one in varied.circuits]
    gains = np.concatenate([one.sense_gain for one in varied.circuits])
    shifts = np.concatenate([one.variation.threshold_shift for one in varied.circuits])  # type: ignore[union-attr]
    assert gains.std() > 0.05
    expected = alike.circuits[0].bias_voltage + gains * np.concatenate(made, axis=1) - shifts
    np.testing.assert_allclose(np.concatenate(found, axis=1), expected, atol=1e-13)
    # and so does the network loop
    weight, offset = varied.current_line()
    currents = rows[:, : varied.fan_in] / varied.circuits[0].array.read_voltage @ weight.T + offset
    np.testing.assert_allclose(varied.drive(currents), expected, atol=1e-12)


# --- tables ---------------------------------------------------------------------------------------


def write(folder: Path, *, circuit: str | None = None, rows: str | None = None) -> Path:
    gates = transistors_of(library(), ("charge_sum",))[:1]
    own = circuit or circuit_hash(library(), gates)
    text = rows or '["charge_sum", "i", "n_vtg", 3e-7, 6e-8, 0.1, -2.0, 1e-14],'
    path = folder / "own_mismatch.toml"
    path.write_text(
        f'[mismatch]\ncircuit = "{own}"\ntransistors = [\n{text}\n]\n', encoding="utf-8"
    )
    return path


@pytest.mark.parametrize("name", STAGES)
def test_a_table_is_of_the_subcircuits_that_it_names(tmp_path: Path, name: str) -> None:
    found = read_mismatch(write(tmp_path), library(name))
    assert found.transistors == (Transistor("charge_sum", "i", "n_vtg", 3e-7, 6e-8),)
    np.testing.assert_array_equal(found.sensitivities, [[0.1, -2.0, 1e-14]])


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
    stage = chosen.sense.for_bursts(8).sized(needs)
    drawn = stage.drawn(MANY, np.random.default_rng(1))
    assert drawn is not None
    table = read_mismatch(resource_path("freepdk45", "sense_burst_mismatch.toml"), library())
    # 4.5 standard errors of a standard deviation
    offset, gain, _ = table.spread(AREA)
    assert drawn[0].std() == pytest.approx(offset, rel=4.5 / math.sqrt(2 * MANY))
    assert np.log(drawn[1]).std() == pytest.approx(gain, rel=4.5 / math.sqrt(2 * MANY))


def test_a_deck_refuses_gains_that_its_subcircuit_does_not_have() -> None:
    stage = SubcircuitStage(design(), 1, 1.0)
    with pytest.raises(ConfigError, match=r"of output 1 has 0\.9 of its gain"):
        stage.add(Deck("own", "alone"), np.zeros(3), np.array([1.0, 0.9, 1.05]), (0.0, 1.0))
    refuse_gains("own", np.ones(3))


def test_a_network_has_the_stage_whose_transistors_are_known() -> None:
    changes = {"mismatch.area_spread": AREA}
    chosen = load_parameter_set("fast-memristor", changes, periphery="freepdk45")
    single, bursts = (
        map_network(make_network(), replace(chosen, sense=chosen.sense.for_bursts(burst)))
        for burst in (1, 8)
    )
    assert single.layers[0].circuits[0].variation is None  # refused with its surface
    own = bursts.layers[0].circuits[0].variation
    assert own is not None
    assert 0.01 < np.log(own.sense_gain).std() < 0.5


def test_flaws_of_transistors_follow_from_their_area_and_do_not_count_twice() -> None:
    usual, transistors = (
        ms.load_device("fast-memristor", periphery).with_flaws().changes
        for periphery in ("behavioural", "freepdk45")
    )
    assert (usual["neuron.threshold_spread"], transistors["neuron.threshold_spread"]) == (5e-3, 0)
    assert transistors["mismatch.area_spread"] == 2e-9
    assert "mismatch.area_spread" not in usual
    with pytest.raises(ConfigError, match=r"mismatch.area_spread cannot be changed"):
        _ = ms.load_device("fast-memristor").change(**{"mismatch.area_spread": 2e-9}).parameters
