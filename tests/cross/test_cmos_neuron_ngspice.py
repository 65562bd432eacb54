"""CMOS cells and neurons in ngspice: against arithmetic, closed forms, and a second BSIM4."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PySpice.Spice.Netlist import SubCircuit
from scipy.integrate import cumulative_trapezoid

from memspice.circuits.cmos.cells import CmosTechnology, flip_flop, inverted_carry, inverter, nand
from memspice.circuits.cmos.cells import xor as xor_cell
from memspice.circuits.cmos.events import CmosEvents, cmos_events, cmos_signals
from memspice.circuits.cmos.logic import activation_table
from memspice.circuits.cmos.neuron import CmosNeurons, cmos_neuron_deck
from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.engines.base import OperatingPoint, SolverOptions, Transient
from memspice.engines.ngspice import Ngspice
from memspice.engines.rawfile import read_raw
from memspice.engines.vacask import Vacask
from memspice.engines.waveforms import Waveforms
from memspice.parameters import load_table
from memspice.resources import resource_path

TECHNOLOGY = load_table("cmos45_cells", "cmos", CmosTechnology).values
#: Femtocoulombs on every node.
SOLVER = SolverOptions(reltol=1e-3, vntol=1e-5, abstol=1e-10, chgtol=1e-15)
FINE = SolverOptions(reltol=1e-4, vntol=1e-6, chgtol=1e-17)
PERIOD = 0.4e-9


def technology(**values: float) -> CmosTechnology:
    return TECHNOLOGY.model_copy(update=values)


# --- transistors ----------------------------------------------------------------------------------

#: Gate and drain voltage: on, off, moderately on.
BIASES = ((1.0, 1.0), (0.0, 1.0), (0.5, 0.5))


def ngspice_currents(width: float) -> np.ndarray:
    """Drain currents [A], shape (2 kinds, 3 biases)."""
    deck = Deck("transistors", "each at three biases")
    circuit = deck.section("transistors")
    names = []
    for kind, sign in (("nmos", 1.0), ("pmos", -1.0)):
        for number, (gate, drain) in enumerate(BIASES):
            name = f"{kind}{number}"
            names.append(f"i(vd{name})")
            circuit.V(f"g{name}", f"g{name}", circuit.gnd, sign * gate)
            circuit.V(f"d{name}", f"d{name}", circuit.gnd, sign * drain)
            circuit.X(name, f"cmos45_{kind}", f"d{name}", f"g{name}", "0", "0", width=width)
    engine = Ngspice()
    waves = engine.run(engine.write(deck), OperatingPoint(), save=names, options=FINE)
    return np.abs([waves.signal(name)[0] for name in names]).reshape(2, 3)


@pytest.mark.ngspice
def test_currents_of_the_cards_are_near_the_published_ones() -> None:
    on, off = ngspice_currents(1e-6).T[:2] / 1e-6
    # DNN_NeuroSim V1.3: 1270 and 1080 uA/um.  Another source than the card's: within 15 %.
    np.testing.assert_allclose(on, [1270, 1080], rtol=0.15)
    # 100 nA/um there; the card, made for a threshold of 0.18 V by its readme, leaks 5 to 20 times
    # less, to the advantage of CMOS.  Bounds of what was found: 20.8 and 4.5 nA/um.
    assert 0.015 < off[0] < 0.03
    assert 0.003 < off[1] < 0.006


@pytest.mark.vacask
@pytest.mark.ngspice
def test_currents_agree_with_the_other_bsim4(tmp_path: Path) -> None:
    lines = ["* transistors", 'load "spice/bsim4v8.osdi"', "model vsource vsource", "ground 0"]
    names = []
    for kind, sign in (("nmos", 1), ("pmos", -1)):
        card = resource_path(f"cmos45_{kind}.lib").read_text("utf-8").split(".subckt")[0]
        values = " ".join(re.findall(r"\b(?!level|version)\w+=\S+", card))
        lines.append(f"model {kind} sp_bsim4v8 type={sign} {values}")
        for number, (gate, drain) in enumerate(BIASES):
            name = f"{kind}{number}"
            names.append(f"vd{name}:flow(br)")
            lines.append(f"vg{name} (g{name} 0) vsource dc={sign * gate}")
            lines.append(f"vd{name} (d{name} 0) vsource dc={sign * drain}")
            lines.append(f"m{name} (d{name} g{name} 0 0) {kind} w=1u l=45n")
    lines += ["control", "options reltol=1e-6", "save default", "analysis op1 op", "endc"]
    (tmp_path / "deck.sim").write_text("\n".join(lines) + "\n")
    # Without memspice's engine, which takes only Verilog-A of ours and no foreign transistor.
    command = [Vacask().info.path, "-n", "1", "deck.sim"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    (plot,) = read_raw(tmp_path / "op1.raw")
    answer = dict(zip(plot.variables, plot.data[0], strict=True))
    found = np.abs([answer[name] for name in names]).reshape(2, 3)
    # BSIM4.8 in VACASK, BSIM4.5 in ngspice: what the versions differ by, 2e-5.
    np.testing.assert_allclose(found, ngspice_currents(1e-6), rtol=1e-4)


# --- cells ----------------------------------------------------------------------------------------


def cell_deck(tech: CmosTechnology, cell: SubCircuit, inputs: Mapping[str, object]) -> Deck:
    """One cell with a source at each input and at its supply."""
    deck = Deck("cell", "one cell")
    deck.subcircuit("the cell", cell)
    circuit = deck.section("bench")
    circuit.V("supply", "vdd", circuit.gnd, tech.supply)
    for name, value in inputs.items():
        circuit.V(name, name, circuit.gnd, value)
    outputs = {"flipflop0": ("q", "qn"), "flipflop1": ("q", "qn")}.get(cell.name, ("out",))
    circuit.X("cell", cell.name, *inputs, *outputs, "vdd")
    return deck


def run(deck: Deck, stop: float | None = None) -> Waveforms:
    engine = Ngspice()
    analysis = OperatingPoint() if stop is None else Transient(stop, PERIOD / 20)
    return engine.run(engine.write(deck), analysis, options=FINE)


@pytest.mark.ngspice
@pytest.mark.parametrize(
    ("cell", "names", "truth"),
    [
        (inverter(TECHNOLOGY), "a", lambda a: 1 - a),
        (xor_cell(TECHNOLOGY), "ab", lambda a, b: a ^ b),
        (inverted_carry(TECHNOLOGY), "abc", lambda a, b, c: 1 - (a + b + c >= 2)),
        (nand(TECHNOLOGY, 3), ("a0", "a1", "a2"), lambda *a: 1 - min(a)),
        (nand(TECHNOLOGY, 4, inverted=True), ("a0", "a1", "a2", "a3"), lambda *a: min(a)),
    ],
    ids=["inverter", "xor", "carry", "nand3", "and4"],
)
def test_cell_has_its_truth_table(
    cell: SubCircuit, names: Sequence[str], truth: Callable[..., int]
) -> None:
    for values in np.ndindex(*(2,) * len(names)):
        inputs = {name: float(value) for name, value in zip(names, values, strict=True)}
        out = run(cell_deck(TECHNOLOGY, cell, inputs)).voltage("out")[0]
        # An off transistor of 5 nA at 1 V against one that is on: a millivolt at most.
        assert out == pytest.approx(truth(*values), abs=2e-3), values


@pytest.mark.ngspice
@pytest.mark.parametrize("preset", [0, 1])
def test_flip_flop_takes_its_input_at_the_rising_edge_only(preset: int) -> None:
    ns = 1e-9
    inputs = {
        "d": wave([(0, 1 - preset), (1.2 * ns, preset), (2.2 * ns, 1 - preset)]),
        "clock": wave([(0, 0), (0.5 * ns, 1), (1.0 * ns, 0), (1.5 * ns, 1), (2.0 * ns, 0)]),
        "init": wave([(0, 1), (0.2 * ns, 0)]),
        "initn": wave([(0, 0), (0.2 * ns, 1)]),
    }
    waves = run(cell_deck(TECHNOLOGY, flip_flop(TECHNOLOGY, preset), inputs), 2.5 * ns)
    times = np.array([0.1, 0.45, 0.9, 1.4, 1.9, 2.4]) * ns
    q = np.interp(times, waves.time, waves.voltage("q"))
    expected = [preset, preset, 1 - preset, 1 - preset, preset, preset]
    np.testing.assert_allclose(q, expected, atol=5e-3)
    np.testing.assert_allclose(np.interp(times, waves.time, waves.voltage("qn")), 1 - q, atol=1e-2)


def wave(levels: list[tuple[float, float]], edge: float = 20e-12) -> PieceWiseLinear:
    """Steps at given times, each of one edge."""
    points = [(0.0, float(levels[0][1]))]
    for time, level in levels[1:]:
        points += [(time, points[-1][1]), (time + edge, float(level))]
    return PieceWiseLinear(tuple(points))


# --- an inverter: charge and energy ---------------------------------------------------------------


@cache
def toggling(supply: float, load: float) -> tuple[float, float, float, Waveforms]:
    """Inverter over two periods, the second one periodic.

    Energies of supply and input [J], and charge of the input [C], in the second period.
    """
    tech = technology(supply=supply, load_capacitance=load)
    steps = [(0.0, 0.0)] + [(k * PERIOD / 2, supply * (k % 2)) for k in range(1, 5)]
    waves = run(cell_deck(tech, inverter(tech), {"a": wave(steps)}), 2.4 * PERIOD)
    ends = np.array([0.45, 1.45]) * PERIOD

    def between(power: np.ndarray) -> float:
        running = cumulative_trapezoid(power, waves.time, initial=0.0)
        return float(np.diff(np.interp(ends, waves.time, running))[0])

    current = -waves.current("va")
    energies = between(-supply * waves.current("vsupply")), between(waves.voltage("a") * current)
    return *energies, between(current), waves


@pytest.mark.ngspice
@pytest.mark.parametrize("supply", [0.7, 1.0])
def test_a_load_costs_its_capacitance_times_the_square_of_the_supply(supply: float) -> None:
    small, large = (sum(toggling(supply, load)[:2]) for load in (1e-15, 5e-15))
    # A slower output edge lengthens the current through both transistors a little: 2 %.
    assert large - small == pytest.approx(4e-15 * supply**2, rel=0.02, abs=0)


@pytest.mark.ngspice
def test_an_unloaded_inverter_costs_its_own_capacitances() -> None:
    energy = sum(toggling(1.0, 1e-15)[:2]) - 1e-15
    # By hand, per width: overlaps of the drain (2 * 0.375 fF/um, for both of its ends move), gate
    # edge and sidewall of the junction (0.3 + 0.5 fF/um), its ends and area.  The gate's charge
    # returns to the ideal source at the voltage at which it came.
    width = TECHNOLOGY.nmos_width + TECHNOLOGY.pmos_width
    drain = width * (2 * 3.75e-10 + 3e-10 + 5e-10 + 0.1e-6 * 5e-4) + 4 * 0.1e-6 * 5e-10
    # Junctions shrink by a fifth with reverse bias, overlaps by depletion; short-circuit current
    # and the channel's charge add: 30 %.
    assert energy == pytest.approx(drain, rel=0.3, abs=0)


@pytest.mark.ngspice
def test_energy_grows_with_load_and_supply() -> None:
    loads = [sum(toggling(1.0, load)[:2]) for load in (1e-15, 5e-15)]
    supplies = [sum(toggling(supply, 5e-15)[:2]) for supply in (0.7, 1.0)]
    assert loads[0] < loads[1]
    # Junction capacitances fall and short-circuit currents rise with the supply: 5 %.
    assert supplies[1] / supplies[0] == pytest.approx(1 / 0.7**2, rel=0.05, abs=0)


@pytest.mark.ngspice
def test_input_gives_no_charge_over_a_period() -> None:
    _, _, charge, waves = toggling(1.0, 5e-15)
    moved = np.abs(waves.current("va"))
    total = float(np.trapezoid(moved, waves.time)) / 2.4
    # A gate only stores; what is left is the drift to the periodic state and reltol.
    assert abs(charge) < 0.02 * total


@pytest.mark.ngspice
def test_no_moment_has_less_energy_delivered_than_stored() -> None:
    _, _, _, waves = toggling(1.0, 5e-15)
    power = -waves.current("vsupply") - waves.voltage("a") * waves.current("va")
    delivered = cumulative_trapezoid(power, waves.time, initial=0.0)
    stored = 0.5 * 5e-15 * waves.voltage("out") ** 2
    left = delivered - (stored - stored[0])
    # The gates store, too: up to 1 fF of gate at 1 V, which may come back to the sources.
    assert left.min() > -0.5e-15
    # At the end of whole periods all but leakage has been dissipated: C V^2 a period at least.
    assert left[-1] > 2 * 5e-15


# --- leakage --------------------------------------------------------------------------------------


def leakage(cell: SubCircuit, inputs: dict[str, float]) -> float:
    return -float(run(cell_deck(TECHNOLOGY, cell, inputs)).current("vsupply")[0])


@pytest.mark.ngspice
def test_inverter_leaks_through_the_transistor_that_is_off() -> None:
    off = ngspice_currents(1e-6)[:, 1] / (1e-6 - 10e-9)  # 5 nm are lost at each side
    widths = np.array([TECHNOLOGY.nmos_width, TECHNOLOGY.pmos_width]) - 10e-9
    found = [leakage(inverter(TECHNOLOGY), {"a": level}) for level in (0.0, 1.0)]
    # The output is not quite at the rail, and gmin (1e-12 S) is at every junction: 5 %.
    np.testing.assert_allclose(found, off * widths, rtol=0.05)


@pytest.mark.ngspice
def test_transistors_in_series_leak_less() -> None:
    single = leakage(inverter(TECHNOLOGY), {"a": 0.0})
    stacked = leakage(nand(TECHNOLOGY, 2), {"a0": 0.0, "a1": 0.0})
    # The inner node rises: negative gate voltage above it, less drain voltage below.
    assert stacked < single / 3


# --- neurons --------------------------------------------------------------------------------------


@cache
def simulated(
    supply: float = 1.0, options: SolverOptions = SOLVER, cycles: int = 4
) -> tuple[CmosNeurons, CmosEvents]:
    """Two neurons of three bits that share a register."""
    codes = np.array([[15, 9], [12, 14], [10, 12], [15, 6]])[:cycles]
    table = activation_table(np.linspace(-5, 1.5, 16), 3)
    neurons = CmosNeurons(technology(supply=supply), table, 3, codes)
    engine = Ngspice()
    waves = engine.run(
        engine.write(cmos_neuron_deck(neurons)),
        Transient(neurons.stop, neurons.period / 20),
        save=cmos_signals(neurons),
        options=options,
    )
    return neurons, cmos_events(neurons, waves)


@pytest.mark.ngspice
def test_spikes_and_random_numbers_are_those_of_the_arithmetic() -> None:
    neurons, events = simulated()
    np.testing.assert_array_equal(events.state, neurons.states)
    np.testing.assert_array_equal(events.spike, neurons.expected)
    assert 0 < events.spike.sum() < events.spike.size


def total_energy(events: CmosEvents) -> float:
    """Energy [J] of all blocks, without the first cycle and its preset."""
    return float(sum(energy[1:].sum() for energy in events.energy.values()))


@pytest.mark.ngspice
def test_a_solver_ten_times_finer_moves_the_energy_by_less_than_a_hundredth() -> None:
    finer = SolverOptions(reltol=1e-4, vntol=1e-6, abstol=1e-11, chgtol=1e-16)
    each = [simulated(options=options, cycles=2)[1] for options in (SOLVER, finer)]
    np.testing.assert_array_equal(each[0].spike, each[1].spike)
    # 0.8 % was found over three cycles; the experiment's own interval is 5 %.
    assert total_energy(each[0]) == pytest.approx(total_energy(each[1]), rel=0.01, abs=0)


@pytest.mark.ngspice
def test_clock_costs_the_capacitance_that_it_drives() -> None:
    neurons, events = simulated()
    # By hand, drawn widths: 16 flip-flops and 2 latches (an inverter each), 2 predecoders of 4
    # NAND gates, 2 tables of 3 precharge transistors; inverter 8 before, with its own drain.
    inverter_width = TECHNOLOGY.nmos_width + TECHNOLOGY.pmos_width
    gates = (16 + 2 + 2 * 4 + 8) * inverter_width + 2 * 3 * TECHNOLOGY.pmos_width
    per_gate = 3.45e-11 / 1.25e-9 * 17.5e-9 + 2 * 3.75e-10
    drains = 10 * inverter_width * (2 * 3.75e-10 + 3e-10 + 5e-10 + 0.1e-6 * 5e-4)
    expected = gates * per_gate + drains + 2 * TECHNOLOGY.load_capacitance
    # Miller charge of the driven gates, bias-dependent overlaps, short-circuit current: a third.
    assert events.energy["clock"][1:].mean() == pytest.approx(expected, rel=0.35, abs=0)


@pytest.mark.ngspice
def test_energy_of_a_neuron_goes_with_the_square_of_the_supply() -> None:
    neurons, low = simulated(supply=0.8)
    np.testing.assert_array_equal(low.spike, neurons.expected)
    # What junctions and short-circuit currents add to the square: 10 %.
    ratio = total_energy(low) / total_energy(simulated()[1])
    assert ratio == pytest.approx(0.8**2, rel=0.1, abs=0)


@pytest.mark.ngspice
def test_sources_of_the_inputs_give_a_hundredth() -> None:
    _, events = simulated()
    assert abs(events.source_energy[1:].sum()) < 0.01 * total_energy(events)
