"""Simulated neurons: what each assumption about the circuit does to the energy of a decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import memspice as ms
from memspice import cmos, spice

TECHNOLOGY = ms.physics.load_table("cmos45_cells", "cmos", cmos.CmosTechnology).values
#: Range of the accumulated sum z that the table covers: P from 0.7 % to 98.9 %.
LOWEST, HIGHEST = -5.0, 1.5
#: Variant whose transistors are those of the analogue periphery.
PROCESS = "transistors of FreePDK45"
#: Charges of these nodes are femtocoulombs; a solver ten times finer moves an energy by less than
#: 1 % (tests/cross/test_cmos_neuron_ngspice.py).
SOLVER = spice.SolverOptions(reltol=1e-3, vntol=1e-5, abstol=1e-10, chgtol=1e-15)


@dataclass(frozen=True)
class Variant:
    """One neuron circuit; ``codes`` is ``random`` (a new sum every cycle) or ``constant``."""

    technology: cmos.CmosTechnology = TECHNOLOGY
    address: int = 6
    bits: int = 8
    leap: int | None = None
    period: float = 1e-9
    neurons: int = 1
    codes: str = "random"
    process: str = "ptm"

    def deck(self, neurons: cmos.CmosNeurons) -> spice.Deck:
        """Circuit of the neurons, of the transistors of the process."""
        return cmos.cmos_neuron_deck(neurons, cmos.process_transistors(self.process))

    def build(self, cycles: int) -> cmos.CmosNeurons:
        """Neurons with their inputs: the same sums in every variant of as many entries.

        The first decision is the slowest that there is: the number is one below an odd threshold,
        so that the lowest bit decides and its carry goes through all slices.
        """
        entries = 2**self.address
        table = cmos.activation_table(np.linspace(LOWEST, HIGHEST, entries), self.bits)
        draw = np.random.default_rng(1).random((cycles, self.neurons))
        codes = (draw * entries).astype(np.int64)
        if self.codes == "constant":
            codes[:] = entries * 3 // 4
        codes[0] = np.flatnonzero(table % 2)[0]
        neurons = cmos.CmosNeurons(
            self.technology, table, self.bits, codes, period=self.period, leap=self.leap
        )
        number = int(table[codes[0, 0]]) - 1
        return replace(neurons, seed=seed_before(number, self.bits, neurons.new_bits))


def seed_before(number: int, bits: int, leap: int) -> int:
    """Smallest seed from which the first random number is ``number``."""
    return next(
        seed
        for seed in range(1, 2**16)
        if cmos.random_numbers(cmos.register_states(seed, leap, 1), bits)[1] == number
    )


def variants() -> Iterator[tuple[str, Variant]]:
    """The circuit of reference, and others that differ from it in one assumption each."""
    yield "reference", Variant()
    yield "4 bits", Variant(bits=4)
    for bits in (12, 16):  # more slices than half a nanosecond is enough for
        yield f"{bits} bits", Variant(bits=bits, period=2e-9)
    for supply, period in ((0.8, 2e-9), (0.9, 2e-9), (1.1, 1e-9)):
        yield f"supply {supply} V", Variant(_technology(supply=supply), period=period)
    yield "no wires at the cells", Variant(_technology(load_capacitance=0.0))
    wires = 2 * TECHNOLOGY.load_capacitance
    yield "wires twice as long", Variant(_technology(load_capacitance=wires))
    widths = {name: 2 * getattr(TECHNOLOGY, name) for name in ("nmos_width", "pmos_width")}
    yield "transistors twice as wide", Variant(_technology(**widths))
    yield "table of 16 entries", Variant(address=4)
    yield "one new bit per draw", Variant(leap=1)
    yield "register shared by 2", Variant(neurons=2)
    yield "sum that stays", Variant(codes="constant")
    yield "clock of 500 MHz", Variant(period=2e-9)
    yield PROCESS, Variant(process="freepdk45", period=2e-9)  # slower than the own cards


def _technology(**values: float) -> cmos.CmosTechnology:
    return TECHNOLOGY.model_copy(update=values)


def simulate(engine: spice.Engine, neurons: cmos.CmosNeurons, deck: spice.Deck) -> cmos.CmosEvents:
    """Run neurons through their cycles."""
    analysis = spice.Transient(neurons.stop, neurons.period / 20)
    waves = engine.run(
        engine.write(deck), analysis, save=cmos.cmos_signals(neurons), options=SOLVER
    )
    return cmos.cmos_events(neurons, waves)


def leakage(engine: spice.Engine, neurons: cmos.CmosNeurons, deck: spice.Deck) -> float:
    """Static power of all supplies with the clock at rest, [W]."""
    waves = engine.run(engine.write(deck), spice.OperatingPoint(), options=SOLVER)
    currents = (waves.current(f"v{block}")[0] for block in cmos.BLOCKS)
    return -neurons.technology.supply * float(sum(currents))


def measure(engine: spice.Engine, variant: Variant, cycles: int) -> dict[str, Any]:
    """Energies per decision of one variant; the first cycle, with the preset in it, is left out."""
    neurons = variant.build(cycles)
    deck = variant.deck(neurons)
    events = simulate(engine, neurons, deck)
    per_cycle = sum(events.energy.values())[1:] / neurons.neurons
    blocks = {name: float(np.mean(e[1:])) / neurons.neurons for name, e in events.energy.items()}
    return {
        "transistors": cmos.transistor_count(deck),
        "decisions": neurons.codes.size,
        "other_spikes": int(np.sum(events.spike != neurons.expected)),
        "other_states": int(np.sum(events.state != neurons.states)),
        "spikes": int(np.sum(events.spike)),
        "energy_joule": blocks,
        "energy_total_joule": float(per_cycle.mean()),
        "standard_error_joule": float(per_cycle.std(ddof=1) / np.sqrt(len(per_cycle))),
        "leakage_watt": leakage(engine, neurons, deck) / neurons.neurons,
        "period_second": neurons.period,
        "supply_volt": neurons.technology.supply,
        "bits": neurons.bits,
    }
