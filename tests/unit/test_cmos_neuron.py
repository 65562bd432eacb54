"""The CMOS neuron without an engine: cards, arithmetic, wiring of the cells, refusals."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from memspice.circuits.cmos import example as cmos_example
from memspice.circuits.cmos.cells import MOST_INPUTS, CmosTechnology, nand
from memspice.circuits.cmos.events import cmos_events, cmos_signals
from memspice.circuits.cmos.logic import (
    activation_table,
    random_numbers,
    register_states,
    spikes,
)
from memspice.circuits.cmos.neuron import BLOCKS, CmosNeurons, cmos_neuron_deck, transistor_count
from memspice.circuits.cmos.rom import threshold_table
from memspice.circuits.deck import Deck
from memspice.engines.vacask_netlist import write_netlist
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, DataError, ShapeError
from memspice.parameters import load_table
from memspice.resources import resource_path

TECHNOLOGY = load_table("cmos45_cells", "cmos", CmosTechnology).values
SUMS = np.linspace(-5.0, 1.5, 16)
TABLE = activation_table(SUMS, 4)


def neurons(**values: Any) -> CmosNeurons:
    settings: dict[str, Any] = {
        "technology": TECHNOLOGY,
        "thresholds": TABLE,
        "bits": 4,
        "codes": np.array([[15], [3], [11]]),
    }
    return CmosNeurons(**{**settings, **values})


# --- cards ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["nmos", "pmos"])
def test_card_has_the_values_of_its_table_and_no_other(kind: str) -> None:
    card = resource_path(f"cmos45_{kind}.lib").read_text("utf-8").split(".subckt")[0]
    found = {name: float(value) for name, value in re.findall(r"(\w+)=(\S+)", card)}
    assert (found.pop("level"), found.pop("version")) == (54, 4.5)
    content = tomllib.loads(resource_path(f"cmos45_{kind}.toml").read_text("utf-8"))
    tables = [values for table, values in content.items() if table != "about"]
    assert found == {name: entry["value"] for table in tables for name, entry in table.items()}


def test_cards_are_the_strained_high_k_ones_and_not_those_of_2006() -> None:
    text = {kind: resource_path(f"cmos45_{kind}.lib").read_text() for kind in ("nmos", "pmos")}
    for kind, values in {
        "nmos": ("vth0=0.46893", "toxe=1.25e-09", "u0=0.054", "vsat=170000", "nfactor=2.22"),
        "pmos": ("vth0=-0.49158", "toxe=1.3e-09", "u0=0.02", "vsat=150000", "xl=-2e-08"),
    }.items():
        assert all(value in text[kind] for value in values)


# --- shift register -------------------------------------------------------------------------------


def test_register_visits_every_state_but_zero_once() -> None:
    states = register_states(1, 1, 65535)
    assert set(states[:-1]) == set(range(1, 65536))
    assert states[-1] == 1


def test_register_is_the_recurrence_of_its_polynomial() -> None:
    # The same sequence written without a register: a[n] = a[n-16] + a[n-15] + a[n-13] + a[n-4].
    seed, count = 0xACE1, 200
    sequence = [seed >> k & 1 for k in range(16)]
    for n in range(16, 16 + count):
        sequence.append(
            (sequence[n - 16] + sequence[n - 15] + sequence[n - 13] + sequence[n - 4]) % 2
        )
    expected = [sum(sequence[n + k] << k for k in range(16)) for n in range(count + 1)]
    np.testing.assert_array_equal(register_states(seed, 1, count), expected)


@pytest.mark.parametrize("leap", [2, 8, 16])
def test_leap_is_as_many_steps(leap: int) -> None:
    np.testing.assert_array_equal(
        register_states(77, leap, 50), register_states(77, 1, 50 * leap)[::leap]
    )


def test_fresh_bits_make_independent_draws_and_shifted_ones_do_not() -> None:
    def correlation(leap: int) -> float:
        draws = random_numbers(register_states(1, leap, 65535), 8)
        return float(np.corrcoef(draws[:-1], draws[1:])[0, 1])

    # A draw that is half of the last one and one new bit: exactly 1/2 for endless words.
    assert correlation(1) == pytest.approx(0.5, abs=1e-3)
    # One of 65,535 states is missing: that is what is left of a correlation.
    assert abs(correlation(8)) < 1e-3


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_rate_over_a_period_is_the_threshold(bits: int) -> None:
    numbers = random_numbers(register_states(1, 1, 65534), bits)
    thresholds = activation_table(np.linspace(-4, 1, 7), bits)
    rate = spikes(numbers[:, None], thresholds).mean(axis=0)
    # The missing state 0 is below every threshold: one event in 65,535.
    below = np.maximum(thresholds * 2 ** (16 - bits) - 1, 0)
    np.testing.assert_allclose(rate, below / 65535, atol=1e-12)


@pytest.mark.parametrize(("seed", "leap"), [(0, 1), (-1, 1), (65536, 1), (1, 0), (1, 17)])
def test_register_refuses(seed: int, leap: int) -> None:
    with pytest.raises(ConfigError, match="must be from 1 to"):
        register_states(seed, leap, 1)


# --- table ----------------------------------------------------------------------------------------


def test_table_is_the_law_of_the_device_within_half_a_step() -> None:
    sums = np.linspace(-6, 1, 64)
    table = activation_table(sums, 12)
    assert (np.diff(table) >= 0).all()
    law = 1 - np.exp(-np.exp(sums))
    np.testing.assert_allclose(table / 4096, law, atol=0.5 / 4096)
    assert activation_table(np.log(np.log([2.0])), 8)[0] == 128  # P = 1/2
    # Between 64 entries of 8 bit: half a step at the steepest slope, 1/e, and half a threshold.
    sums, fine = np.linspace(-5, 1.5, 64), np.linspace(-5, 1.5, 1000)
    nearest = activation_table(sums, 8)[np.abs(fine[:, None] - sums).argmin(axis=1)] / 256
    assert np.abs(nearest - 1 + np.exp(-np.exp(fine))).max() < 3.25 / 63 / np.e + 1 / 256


def test_table_saturates_below_one() -> None:
    assert activation_table(np.array([-800.0, 9.0, 800.0]), 8).tolist() == [0, 255, 255]


def test_table_refuses_what_is_not_finite() -> None:
    with pytest.raises(ConfigError, match="finite"):
        activation_table(np.array([np.nan]), 8)


def test_table_has_a_transistor_for_every_one() -> None:
    entries = np.arange(16)
    cell = threshold_table(TECHNOLOGY, "table", entries, 4)
    found = {
        (int(element.nodes[1].name[4:]), int(element.nodes[0].name[2:]))
        for element in cell.elements
        if element.PREFIX == "X" and re.fullmatch(r"word\d+", element.nodes[1].name)
        and element.nodes[2].name == "0" and element.nodes[0].name.startswith("pn")
    }  # fmt: skip
    assert found == {(entry, bit) for entry in range(16) for bit in range(4) if entry >> bit & 1}


@pytest.mark.parametrize("entries", [8, 24, 128])
def test_table_of_another_size_is_refused(entries: int) -> None:
    with pytest.raises(ShapeError, match=f"{entries} entries"):
        neurons(thresholds=np.zeros(entries, int))


# --- wiring, as logic -----------------------------------------------------------------------------

CELLS: dict[str, Callable[..., int]] = {
    "inverter": lambda a: 1 - a,
    "xor": lambda a, b: a ^ b,
    "carry": lambda a, b, c: 1 - (a + b + c >= 2),
}


def evaluate(deck: Deck, nets: dict[str, int]) -> dict[str, int]:
    """Values of all nets behind combinational cells, in the order of the deck."""
    nets = {"0": 0, **nets}
    for _, circuit in deck.sections:
        for element in circuit.elements:
            if element.PREFIX == "X" and element.subcircuit_name in CELLS:
                *inputs, out, _ = (node.name for node in element.nodes)
                nets[out] = CELLS[element.subcircuit_name](*(nets[i] for i in inputs))
    return nets


def stages(state: int, bits: int = 16) -> dict[str, int]:
    values = {f"q{k}": state >> (bits - k) & 1 for k in range(1, bits + 1)}
    return {**values, **{name.replace("q", "qn"): 1 - value for name, value in values.items()}}


@pytest.mark.parametrize("bits", [3, 4])
def test_comparator_decides_as_arithmetic_does_for_every_pair(bits: int) -> None:
    deck = cmos_neuron_deck(neurons(bits=bits, thresholds=np.minimum(TABLE, 2**bits - 1)))
    latch = next(e for _, c in deck.sections for e in c.elements if e.name == "Xspike0")
    for threshold, number in np.ndindex(2**bits, 2**bits):
        p = {f"p0_{b}": threshold >> b & 1 for b in range(bits)}
        pn = {f"pn0_{b}": 1 - (threshold >> b & 1) for b in range(bits)}
        nets = evaluate(deck, {**stages(number << (16 - bits)), **p, **pn})
        assert nets[latch.nodes[0].name] == (number < threshold)


@pytest.mark.parametrize("leap", [1, 5, 16])
def test_flip_flops_are_fed_with_the_next_state(leap: int) -> None:
    found = neurons(leap=leap, bits=4)
    deck = cmos_neuron_deck(found)
    inputs = {
        element.name[1:]: element.nodes[0].name
        for _, circuit in deck.sections
        for element in circuit.elements
        if element.PREFIX == "X" and element.subcircuit_name.startswith("flipflop")
    }
    for state in np.random.default_rng(2).integers(1, 65536, 50).tolist():
        p = {f"{name}0_{b}": 0 for name in ("p", "pn") for b in range(4)}
        nets = evaluate(deck, {**stages(state), **p})
        following = sum(nets[inputs[f"q{k}"]] << (16 - k) for k in range(1, 17))
        assert following == register_states(state, leap, 1)[1]


def test_presets_spell_the_seed() -> None:
    text = str(cmos_neuron_deck(neurons(seed=0x8004)))
    presets = re.findall(r"^Xq(\d+) .* flipflop(\d)$", text, re.MULTILINE)
    assert {int(k) for k, preset in presets if preset == "1"} == {1, 14}
    assert len(presets) == 16


def test_transistors_are_counted_cell_by_cell() -> None:
    def count(**values: Any) -> int:
        return transistor_count(cmos_neuron_deck(neurons(**values)))

    # A new bit takes three XOR gates of ten transistors.
    assert count(leap=5) - count(leap=4) == 30
    ones = sum(int(value).bit_count() for value in TABLE)
    # Address inverters; predecoders of AND3 and AND2; 16 AND2; ones; precharge, inverter, keeper.
    table = 4 * 4 + 4 * 8 + 4 * 6 + 16 * 6 + ones + 4 * (1 + 2 + 1)
    neuron = table + 4 * 10 + 14
    assert count(codes=np.zeros((1, 3), int)) - count(codes=np.zeros((1, 2), int)) == neuron
    assert count() == neuron + 16 * 22 + 4 * 30 + 4


def test_no_wire_is_no_capacitor() -> None:
    bare = TECHNOLOGY.model_copy(update={"load_capacitance": 0.0, "cell_wire": 0.0})
    for technology, found in ((TECHNOLOGY, True), (bare, False)):
        text = str(cmos_neuron_deck(neurons(technology=technology)))
        assert bool(re.search("^C", text, re.MULTILINE)) is found


def test_too_wide_a_gate_is_refused() -> None:
    for inputs in (1, MOST_INPUTS + 1):
        with pytest.raises(ConfigError, match="inputs"):
            nand(TECHNOLOGY, inputs)


def test_every_block_has_its_own_supply() -> None:
    text = str(cmos_neuron_deck(neurons()))
    for block in BLOCKS:
        assert re.search(rf"^V{block} vdd_{block} 0 1$", text, re.MULTILINE)
        assert re.search(rf"^X.* vdd_{block} ", text, re.MULTILINE)


# --- neurons --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ({"codes": np.zeros(3, int)}, ShapeError, r"\(cycles, neurons\)"),
        ({"codes": np.zeros((0, 1), int)}, ShapeError, r"\(cycles, neurons\)"),
        ({"codes": np.array([[16]])}, ConfigError, "codes from 16 to 16 must be from 0 to 15"),
        ({"codes": np.array([[-1]])}, ConfigError, "codes"),
        ({"bits": 3}, ConfigError, "thresholds from 0 to 15 must be from 0 to 7"),
        ({"bits": 1}, ConfigError, "bits = 1"),
        ({"bits": 17}, ConfigError, "bits = 17"),
        ({"period": 0.0}, ConfigError, "period = 0.0 s"),
        ({"period": float("nan")}, ConfigError, "period"),
        ({"seed": 0}, ConfigError, "seed = 0"),
        ({"leap": 17}, ConfigError, "leap = 17"),
    ],
)
def test_neurons_refuse(values: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        neurons(**values)


def test_no_other_engine_has_these_transistors() -> None:
    # The .lib alone exists: an engine that needs compiled Verilog-A must refuse it by name.
    deck = cmos_neuron_deck(neurons())
    assert {"cmos45_nmos", "cmos45_pmos"} == set(deck.models)
    with pytest.raises(DataError, match=r"models/cmos45_[np]mos\.va"):
        write_netlist(deck)


# --- events ---------------------------------------------------------------------------------------


def waveforms(found: CmosNeurons, level: float = 1.0) -> Waveforms:
    """Signals of an ideal neuron: 1 uA out of every supply, the register in its states."""
    time = np.linspace(0, found.stop, 3401)
    cycle = np.minimum((time / found.period).astype(int), found.cycles - 1)
    signals = {name: np.zeros_like(time) for name in cmos_signals(found)}
    for k in range(1, 17):
        signals[f"v(q{k})"] = level * (found.states[cycle] >> (16 - k) & 1)
    late = np.clip(((time / found.period) - 1).astype(int), 0, found.cycles - 1)
    signals["v(spike0)"] = level * found.expected[late, 0]
    for block in BLOCKS:
        signals[f"i(v{block})"] = np.full_like(time, -1e-6)
    return Waveforms(time, signals, "", 0.0)


def test_events_are_read_from_ideal_waveforms() -> None:
    found = neurons()
    events = cmos_events(found, waveforms(found))
    np.testing.assert_array_equal(events.state, found.states)
    np.testing.assert_array_equal(events.spike, found.expected)
    for block in BLOCKS:
        np.testing.assert_allclose(events.energy[block], 1e-6 * 1.0 * found.period, atol=0)
    assert not events.source_energy.any()


def test_level_between_zero_and_one_is_refused() -> None:
    found = neurons()
    with pytest.raises(ConfigError, match=r"0\.50 of the supply .* longer"):
        cmos_events(found, waveforms(found, level=0.5))


def test_example_has_the_sizes_of_the_table_and_decides_both_ways() -> None:
    assert cmos_example.TECHNOLOGY == TECHNOLOGY
    assert cmos_example.example_neurons().expected[:, 0].tolist() == [False, True]
