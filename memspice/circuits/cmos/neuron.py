"""Stochastic neurons in 45 nm CMOS: what a memristor does in one device, in 1,500 transistors.

The accumulated sum of a neuron enters as a code ``z`` of six bits: 64 steps from -5 to 1.5 leave
the activation within 0.02 of the device's.  (The accumulator belongs to the synapses; limiting its
sum to the range of the code is not built, to the advantage of CMOS.)  A table turns the code into
the threshold ``2**bits * P(z)``, a comparator looks whether the random number of a linear-feedback
shift register is below it, a latch holds the spike.  One decision a clock cycle: the clock is low
in the first half (bit lines are charged, the code changes), high in the second (the register moves
on, the table is read, the latch is open).

Each block has its own supply, so that its energy is told apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from memspice.circuits.cmos.cells import (
    CmosTechnology,
    flip_flop,
    inverted_carry,
    inverter,
    latch,
    xor,
)
from memspice.circuits.cmos.logic import (
    REGISTER_BITS,
    TAPS,
    Integers,
    random_numbers,
    register_states,
    spikes,
)
from memspice.circuits.cmos.rom import address_bits, decoder_cells, threshold_table
from memspice.circuits.deck import Deck, PieceWiseLinear, pulse_train, step_train
from memspice.circuits.library import Library
from memspice.circuits.spice import Circuit, SubCircuit
from memspice.circuits.timing import Pulse
from memspice.errors import ConfigError, ShapeError

#: Blocks with a supply ``vdd_<block>`` each.
BLOCKS = ("clock", "register", "table", "compare", "latch")
#: Rise and fall of the sources, as a share of the clock period.
EDGE = 0.02


@dataclass(frozen=True, eq=False)
class CmosNeurons:
    """Neurons that share one shift register, and the sums they are given.

    Parameters
    ----------
    technology : CmosTechnology
        Supply, sizes, wires.
    thresholds : ndarray of int, shape (entries,)
        Table of every neuron: `activation_table`.
    bits : int
        Bits of thresholds and random numbers, 2 to 16.
    codes : ndarray of int, shape (cycles, neurons)
        Code of the accumulated sum in every cycle: an address of the table.
    seed : int
        First state of the shift register.
    period : float, [s]
        Of the clock.
    leap : int, optional
        New bits of the register per cycle; by default ``bits``: no bit is used twice, and
        successive draws are as independent as the register's sequence is.

    Raises
    ------
    ShapeError
        If ``codes`` or ``thresholds`` have a wrong shape.
    ConfigError
        If another value is out of its range.
    """

    technology: CmosTechnology
    thresholds: Integers
    bits: int
    codes: Integers
    seed: int = 0xACE1
    period: float = 1e-9
    leap: int | None = None

    def __post_init__(self) -> None:
        """Check everything that the netlist would not say."""
        entries = 2**self.code_bits
        if self.codes.ndim != 2 or self.codes.size == 0:
            raise ShapeError(f"codes of shape {self.codes.shape} must be (cycles, neurons)")
        if not 2 <= self.bits <= REGISTER_BITS:
            raise ConfigError(f"bits = {self.bits} must be 2 to {REGISTER_BITS}")
        if not self.period > 0:
            raise ConfigError(f"period = {self.period} s must be above 0")
        for name, values, limit in (
            ("codes", self.codes, entries),
            ("thresholds", self.thresholds, 2**self.bits),
        ):
            if values.min() < 0 or values.max() >= limit:
                raise ConfigError(
                    f"{name} from {values.min()} to {values.max()} must be from 0 to {limit - 1}"
                )
        register_states(self.seed, self.new_bits, 0)

    @property
    def code_bits(self) -> int:
        """Bits of a code, an address of the table."""
        return address_bits(len(self.thresholds))

    @property
    def new_bits(self) -> int:
        """Bits by which the register moves in a cycle."""
        return self.bits if self.leap is None else self.leap

    @property
    def cycles(self) -> int:
        """Number of decisions of each neuron."""
        return len(self.codes)

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return int(self.codes.shape[1])

    @property
    def stop(self) -> float:
        """End of a simulation, [s]: a little after the last latch has closed."""
        return (self.cycles + 0.4) * self.period

    @cached_property
    def states(self) -> Integers:
        """State of the register that each decision is made with, shape (cycles,)."""
        return register_states(self.seed, self.new_bits, self.cycles)[1:]

    @property
    def expected(self) -> NDArray[np.bool_]:
        """Spikes by arithmetic, shape (cycles, neurons)."""
        numbers = random_numbers(self.states, self.bits)
        return spikes(numbers[:, None], self.thresholds[self.codes])


def cmos_neuron_deck(neurons: CmosNeurons, transistors: Library | None = None) -> Deck:
    """Circuit of the neurons; no analysis.  Spikes are on ``spike<n>``, the register on ``q<k>``.

    Parameters
    ----------
    neurons : CmosNeurons
        What to build, and its inputs.
    transistors : Library, optional
        Those of another process: `memspice.circuits.cmos.process.process_transistors`.
    """
    technology, bits = neurons.technology, neurons.bits
    deck = Deck(
        f"memspice CMOS neurons: {neurons.neurons}, {bits} bits, {neurons.cycles} cycles",
        "Shift register, table of thresholds, comparator and latch in 45 nm CMOS.\n"
        "One decision a clock cycle; a supply for each block",
    )
    if transistors is not None:
        deck.library(transistors)
    for cell in _cells(neurons):
        deck.subcircuit(f"Cell {cell.name}", cell)
    table = threshold_table(technology, "table", neurons.thresholds, bits)
    deck.subcircuit(f"Thresholds: {2**neurons.code_bits} of {bits} bits", table)
    _sources(deck, neurons)
    clock = deck.section("Clock buffer")
    clock.X("clock1", "inverter2", "clock_in", "clock_n", "vdd_clock")
    clock.X("clock2", "inverter8", "clock_n", "clock", "vdd_clock")
    _register(deck.section("Shift register: q1 is the newest bit"), neurons)
    for number in range(neurons.neurons):
        _neuron(deck.section(f"Neuron {number}"), number, neurons)
    return deck


def transistor_count(deck: Deck) -> int:
    """Number of transistors in a deck of cells."""
    count = {"cmos45_nmos": 1, "cmos45_pmos": 1}

    def of(circuit: Circuit | SubCircuit) -> int:
        instances = (e for e in circuit.elements if e.PREFIX == "X")
        return sum(count[instance.subcircuit_name] for instance in instances)

    for _, section in deck.sections:
        for cell in section.subcircuits:
            count[cell.name] = of(cell)
    return sum(of(section) for _, section in deck.sections)


def _cells(neurons: CmosNeurons) -> Iterator[SubCircuit]:
    technology = neurons.technology
    for size in (1, 2, 8):
        yield inverter(technology, size)
    yield xor(technology)
    yield inverted_carry(technology)
    yield flip_flop(technology, 0)
    yield flip_flop(technology, 1)
    yield latch(technology)
    yield from decoder_cells(technology, len(neurons.thresholds)).values()


def _sources(deck: Deck, neurons: CmosNeurons) -> None:
    """Supplies, clock, preset and the codes of the sums."""
    supply, period = neurons.technology.supply, neurons.period
    rails = deck.section("Supplies, one for each block")
    for block in BLOCKS:
        rails.V(block, f"vdd_{block}", rails.gnd, supply)
    edge = EDGE * period
    control = deck.section("Clock; preset of the register during the first quarter")
    high = Pulse(0.5 * period, period, edge)
    ticks = pulse_train(high, np.full(neurons.cycles, supply), period)
    control.V("clock_in", "clock_in", control.gnd, ticks)
    for name, start in (("init", supply), ("initn", 0.0)):
        points = ((0.25 * period, start), (0.25 * period + edge, supply - start))
        control.V(name, name, control.gnd, PieceWiseLinear(((0.0, start), *points)))
    codes = deck.section("Accumulated sums: codes that change while the clock is low")
    for number, bit in np.ndindex(neurons.neurons, neurons.code_bits):
        levels = supply * (neurons.codes[:, number] >> bit & 1)
        train = step_train(levels.astype(float), edge, period)
        # A little after the clock has fallen, when no word line is high any more.
        late = PieceWiseLinear(
            ((0.0, train.points[0][1]),)
            + tuple((time + 0.15 * period, level) for time, level in train.points[1:])
        )
        codes.V(f"z{number}_{bit}", f"z{number}_{bit}", codes.gnd, late)


def _register(circuit: Circuit, neurons: CmosNeurons) -> None:
    """Flip-flops, and for each new bit the parity of four stages."""
    stages = [f"q{k}" for k in range(1, REGISTER_BITS + 1)]
    for new in range(neurons.new_bits):
        taps = [stages[tap - 1] for tap in TAPS]
        names = (f"x{new}_0", f"x{new}_1", f"new{new}")
        pairs = ((taps[0], taps[1]), (taps[2], taps[3]), names[:2])
        for name, pair in zip(names, pairs, strict=True):
            circuit.X(name, "xor", *pair, name, "vdd_register")
        stages = [names[2], *stages[:-1]]
    for k, source in enumerate(stages, start=1):
        preset = neurons.seed >> (REGISTER_BITS - k) & 1
        ports = (source, "clock", "init", "initn", f"q{k}", f"qn{k}", "vdd_register")
        circuit.X(f"q{k}", f"flipflop{preset}", *ports)


def _neuron(circuit: Circuit, number: int, neurons: CmosNeurons) -> None:
    """Table, comparator from the least significant bit up, latch."""
    bits = neurons.bits
    own = [f"{name}{number}_{b}" for name in ("p", "pn") for b in range(bits)]
    codes = [f"z{number}_{bit}" for bit in range(neurons.code_bits)]
    circuit.X(f"table{number}", "table", *codes, "clock", *own, "vdd_table")
    carry = "0"
    for bit in range(bits):
        stage, out = bits - bit, f"carry{number}_{bit}"
        # Carry of threshold + not(random): true and complemented in turn.
        kinds = (f"qn{stage}", own[bit]) if bit % 2 == 0 else (f"q{stage}", own[bits + bit])
        circuit.X(out, "carry", *kinds, carry, out, "vdd_compare")
        carry = out
    if bits % 2:
        circuit.X(f"above{number}", "inverter", carry, f"above{number}", "vdd_compare")
        carry = f"above{number}"
    circuit.X(f"spike{number}", "latch", carry, "clock", "init", f"spike{number}", "vdd_latch")
