"""CMOS adders of transistors: sums bit by bit, and joules on two engines and of two processes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from memspice.circuits.cmos.adder import CmosAdder, adder_results, adder_signals, cmos_adder_deck
from memspice.circuits.cmos.cells import CmosTechnology
from memspice.circuits.cmos.logic import activation_table
from memspice.circuits.cmos.neuron import CmosNeurons, cmos_neuron_deck
from memspice.circuits.cmos.process import process_transistors
from memspice.engines import find_engine
from memspice.engines.base import SolverOptions, Transient
from memspice.errors import ConfigError, ShapeError
from memspice.parameters import load_table

TECHNOLOGY = load_table("cmos45_cells", "cmos", CmosTechnology).values
#: Femtocoulombs on every node: ten times finer moves an energy by 0.6 %.
SOLVER = SolverOptions(reltol=1e-3, vntol=1e-5, abstol=1e-10, chgtol=1e-15)
#: All carries, none, and some.
NUMBERS = np.array([[0, 0], [7, 1], [5, 2], [3, 7], [0, 0], [7, 7], [4, 3]])


@cache
def added(engine: str, process: str, bits: int = 3) -> tuple[CmosAdder, np.ndarray, np.ndarray]:
    """Adder, its sums and its joules a cycle."""
    adder = CmosAdder(TECHNOLOGY, bits, NUMBERS % 2**bits)
    simulator = find_engine(engine)
    waves = simulator.run(
        simulator.write(cmos_adder_deck(adder, process_transistors(process))),
        Transient(adder.stop, adder.period / 20, from_rest=engine == "vacask"),
        save=adder_signals(adder),
        options=SOLVER,
    )
    return adder, *adder_results(adder, waves)


@pytest.mark.ngspice
@pytest.mark.parametrize("process", ["ptm", "freepdk45"])
@pytest.mark.parametrize("bits", [2, 3])
def test_sums_are_those_of_the_arithmetic(process: str, bits: int) -> None:
    # an even and an odd number of slices: the last carry is true or complemented
    adder, sums, _ = added("ngspice", process, bits)
    np.testing.assert_array_equal(sums, adder.sums)
    assert len(set(sums.tolist())) > 3


@pytest.mark.vacask
@pytest.mark.ngspice
def test_both_engines_agree() -> None:
    one, other = (added(engine, "freepdk45") for engine in ("ngspice", "vacask"))
    np.testing.assert_array_equal(other[1], other[0].sums)
    # Each engine is 0.6 % off a finer run of its own at these tolerances.
    assert other[2][1:].sum() == pytest.approx(one[2][1:].sum(), rel=0.02, abs=0)


@pytest.mark.ngspice
def test_an_addition_costs_more_where_more_changes() -> None:
    _, _, joules = added("ngspice", "freepdk45")
    # 4 + 3 after 7 + 7 turns 5 bits over, 5 + 2 after 7 + 1 the carries alone and two inputs; all
    # cost more than 25 aF a node at 1 V, and less than all nodes of three slices with 3 fF each.
    assert (joules[1:] > 0.1e-15).all()
    assert joules[1:].max() < 3 * 20 * 3e-15
    assert added("ngspice", "freepdk45", 2)[2][1:].sum() < joules[1:].sum()


@pytest.mark.ngspice
def test_the_neuron_decides_alike_in_both_processes() -> None:
    codes = np.array([[15], [9], [12]])
    neurons = CmosNeurons(TECHNOLOGY, activation_table(np.linspace(-5, 1.5, 16), 2), 2, codes)
    own, other = (cmos_neuron_deck(neurons, process_transistors(p)) for p in ("ptm", "freepdk45"))
    assert "cmos45_nmos" in own.models
    assert "cmos45_nmos" not in other.models  # comes as a library, with cards of its own
    assert {card.name for card in other.cards} == {"nmos_vtg", "pmos_vtg"}


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"shape \(3,\) must be \(cycles, 2\)"):
        CmosAdder(TECHNOLOGY, 8, np.arange(3))
    with pytest.raises(ConfigError, match="numbers from 0 to 9 must be from 0 to 7"):
        CmosAdder(TECHNOLOGY, 3, np.array([[0, 9]]))
    with pytest.raises(ConfigError, match=r"bits = 40 must be 1 to 32"):
        CmosAdder(TECHNOLOGY, 40, NUMBERS)
    with pytest.raises(ConfigError, match="period = 0.0 s must be above 0"):
        CmosAdder(TECHNOLOGY, 3, NUMBERS, period=0.0)


@pytest.mark.ngspice
def test_a_clock_that_is_too_fast_is_told() -> None:
    adder = CmosAdder(TECHNOLOGY, 3, NUMBERS, period=40e-12)
    engine = find_engine("ngspice")
    waves = engine.run(
        engine.write(cmos_adder_deck(adder)),
        Transient(adder.stop, adder.period / 20),
        save=adder_signals(adder),
        options=SOLVER,
    )
    with pytest.raises(ConfigError, match="make the clock's period longer"):
        adder_results(adder, waves)


def test_an_unknown_process_is_refused() -> None:
    with pytest.raises(ConfigError, match="process 'tsmc' is unknown; use ptm, freepdk45"):
        process_transistors("tsmc")
