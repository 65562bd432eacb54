"""A ripple-carry adder in 45 nm CMOS: what an addition of the digital network costs.

Two numbers change at the beginning of every clock cycle; their sum is read at its end.  A slice is
the carry cell of the comparator and two XOR gates; carries are complemented from slice to slice, so
that none waits for an inverter.  Every input has an inverter of its own in front, whose joules
count: it stands for the register that would drive it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memspice.circuits.cmos.cells import CmosTechnology, inverted_carry, inverter, xor
from memspice.circuits.cmos.events import digital
from memspice.circuits.cmos.logic import Integers
from memspice.circuits.deck import Deck, step_train
from memspice.circuits.library import Library
from memspice.circuits.signals import Signals, energy_between, source_power
from memspice.circuits.spice import Circuit
from memspice.errors import ConfigError, ShapeError

#: Widest adder.
MOST_BITS = 32
#: Rise and fall of the sources, as a share of the clock period.
EDGE = 0.02
SUPPLY = "vdd_adder"


@dataclass(frozen=True, eq=False)
class CmosAdder:
    """An adder and the numbers that it is given.

    Parameters
    ----------
    technology : CmosTechnology
        Supply, sizes, wires.
    bits : int
        Of both numbers, 1 to 32; the sum has one more.
    numbers : ndarray of int, shape (cycles, 2)
        What is added in every cycle, 0 to ``2**bits - 1``.
    period : float, [s]
        Of the clock.

    Raises
    ------
    ShapeError
        If ``numbers`` has another shape.
    ConfigError
        If another value is out of its range.
    """

    technology: CmosTechnology
    bits: int
    numbers: Integers
    period: float = 1e-9

    def __post_init__(self) -> None:
        """Check everything that the netlist would not say."""
        if self.numbers.ndim != 2 or self.numbers.shape[1] != 2 or not len(self.numbers):
            raise ShapeError(f"numbers of shape {self.numbers.shape} must be (cycles, 2)")
        if not 1 <= self.bits <= MOST_BITS:
            raise ConfigError(f"bits = {self.bits} must be 1 to {MOST_BITS}")
        if self.numbers.min() < 0 or self.numbers.max() >= 2**self.bits:
            raise ConfigError(
                f"numbers from {self.numbers.min()} to {self.numbers.max()} must be from 0 to "
                f"{2**self.bits - 1}"
            )
        if not self.period > 0:
            raise ConfigError(f"period = {self.period} s must be above 0")

    @property
    def stop(self) -> float:
        """End of a simulation, [s]."""
        return len(self.numbers) * self.period

    @property
    def sums(self) -> Integers:
        """Sums by arithmetic, shape (cycles,)."""
        return np.asarray(self.numbers.sum(axis=1))


def cmos_adder_deck(adder: CmosAdder, transistors: Library | None = None) -> Deck:
    """Circuit of the adder; no analysis.  Bits of the sum are on ``sum<k>``.

    Parameters
    ----------
    adder : CmosAdder
    transistors : Library, optional
        As of `memspice.circuits.cmos.neuron.cmos_neuron_deck`.
    """
    deck = Deck(
        f"memspice CMOS adder: {adder.bits} bits, {len(adder.numbers)} cycles",
        "Ripple-carry adder in 45 nm CMOS; the two numbers change with every cycle",
    )
    if transistors is not None:
        deck.library(transistors)
    for cell in (xor(adder.technology), inverted_carry(adder.technology)):
        deck.subcircuit(f"Cell {cell.name}", cell)
    deck.subcircuit("Cell inverter", inverter(adder.technology))
    sources = deck.section("Supply, and the numbers")
    sources.V(SUPPLY, SUPPLY, sources.gnd, adder.technology.supply)
    for name, column in zip("ab", adder.numbers.T, strict=True):
        for bit in range(adder.bits):
            levels = adder.technology.supply * (1 - (column >> bit & 1)).astype(float)
            train = step_train(levels, EDGE * adder.period, adder.period)
            sources.V(f"{name}{bit}", f"{name}n{bit}", sources.gnd, train)
    slices = deck.section("Slices, the lowest first")
    carry = "0"
    for bit in range(adder.bits):
        carry = _slice(slices, bit, carry)
    if adder.bits % 2:
        slices.X("last", "inverter", carry, f"sum{adder.bits}", SUPPLY)
    else:
        # a true carry: it is the highest bit, with the load of a cell
        slices.X("last", "inverter", carry, "last", SUPPLY)
        slices.X("highest", "inverter", "last", f"sum{adder.bits}", SUPPLY)
    return deck


def _slice(circuit: Circuit, bit: int, carry: str) -> str:
    """One slice; its own carry is complemented where the one that it takes is not."""
    for name in "ab":
        circuit.X(f"{name}{bit}", "inverter", f"{name}n{bit}", f"{name}{bit}", SUPPLY)
    circuit.X(f"half{bit}", "xor", f"a{bit}", f"b{bit}", f"half{bit}", SUPPLY)
    out = f"carry{bit}"
    if bit % 2 == 0:
        circuit.X(f"sum{bit}", "xor", f"half{bit}", carry, f"sum{bit}", SUPPLY)
        circuit.X(out, "carry", f"a{bit}", f"b{bit}", carry, out, SUPPLY)
    else:
        circuit.X(f"sumn{bit}", "xor", f"half{bit}", carry, f"sumn{bit}", SUPPLY)
        circuit.X(f"sum{bit}", "inverter", f"sumn{bit}", f"sum{bit}", SUPPLY)
        complements = []
        for name in "ab":
            complements.append(f"{name}c{bit}")
            circuit.X(f"{name}c{bit}", "inverter", f"{name}{bit}", complements[-1], SUPPLY)
        circuit.X(out, "carry", *complements, carry, out, SUPPLY)
    return out


def adder_signals(adder: CmosAdder) -> list[str]:
    """Names of the signals that `adder_results` needs."""
    return [*_sum_signals(adder), f"i(v{SUPPLY})"]


def _sum_signals(adder: CmosAdder) -> Iterator[str]:
    return (f"v(sum{bit})" for bit in range(adder.bits + 1))


def adder_results(adder: CmosAdder, signals: Signals) -> tuple[Integers, NDArray[np.float64]]:
    """Sums that the circuit made, and what its supply delivered, both (cycles,).

    Parameters
    ----------
    adder : CmosAdder
        What the netlist was made from.
    signals : Signals
        At least those of `adder_signals`.

    Returns
    -------
    tuple
        Sums, and joules.  The input inverters' gates are driven by ideal sources.

    Raises
    ------
    ConfigError
        If a bit is neither 0 nor 1 at the end of a cycle: the clock is too fast.
    """
    starts, supply = np.arange(len(adder.numbers) + 1) * adder.period, adder.technology.supply
    ends = starts[1:] - 2 * EDGE * adder.period
    bits = [f"sum{bit}" for bit in range(adder.bits + 1)]
    levels = [np.interp(ends, signals.time, signals.voltage(bit)) for bit in bits]
    sums = digital(np.stack(levels, axis=-1) / supply, bits) @ (1 << np.arange(adder.bits + 1))
    return sums, energy_between(signals.time, source_power(signals, SUPPLY, supply), starts)
