"""Spikes, random numbers and joules of simulated CMOS neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid

from memspice.circuits.array_power import Signals
from memspice.circuits.cmos_logic import REGISTER_BITS, Integers
from memspice.circuits.cmos_neuron import BLOCKS, CmosNeurons
from memspice.circuits.cmos_rom import address_bits
from memspice.errors import ConfigError

_Volts = float | NDArray[np.float64]


@dataclass(frozen=True)
class CmosEvents:
    """What simulated neurons did.

    Parameters
    ----------
    spike : ndarray of bool, shape (cycles, neurons)
        What the latches held after each cycle.
    state : ndarray of int, shape (cycles,)
        Shift register while the decision was made.
    energy : dict of str to ndarray, shape (cycles,), [J]
        What the supply of each block delivered to all neurons in each cycle.
    source_energy : ndarray, shape (cycles,), [J]
        What the ideal sources of clock, preset and codes delivered: gates of first stages.
    """

    spike: NDArray[np.bool_]
    state: Integers
    energy: dict[str, NDArray[np.float64]]
    source_energy: NDArray[np.float64]


def cmos_signals(neurons: CmosNeurons) -> list[str]:
    """Names of the signals that `cmos_events` needs."""
    names = [f"v(spike{n})" for n in range(neurons.neurons)]
    names += [f"v(q{k})" for k in range(1, REGISTER_BITS + 1)]
    names += [f"i(v{block})" for block in BLOCKS]
    for source in _input_sources(neurons):
        names += [f"v({source})", f"i(v{source})"]
    return names


def _input_sources(neurons: CmosNeurons) -> list[str]:
    bits = range(address_bits(len(neurons.thresholds)))
    codes = [f"z{n}_{bit}" for n in range(neurons.neurons) for bit in bits]
    return ["clock_in", "init", "initn", *codes]


def cmos_events(neurons: CmosNeurons, signals: Signals) -> CmosEvents:
    """Events and energies of simulated neurons.

    A cycle's energy is taken from one falling edge of the clock to the next, so it holds the
    charging of the bit lines that the cycle before discharged.

    Parameters
    ----------
    neurons : CmosNeurons
        What the netlist was made from.
    signals : Signals
        At least those of `cmos_signals`.

    Raises
    ------
    ConfigError
        If a bit lies between 20 % and 80 % of the supply where it is sampled: the clock is too
        fast for the circuit.
    """
    starts = np.arange(neurons.cycles) * neurons.period

    def sample(nodes: list[str], share: float) -> NDArray[np.bool_]:
        instants = starts + share * neurons.period
        found = [np.interp(instants, signals.time, signals.voltage(node)) for node in nodes]
        return _digital(np.stack(found, axis=-1) / neurons.technology.supply, nodes)

    stages = sample([f"q{k}" for k in range(1, REGISTER_BITS + 1)], 0.95)
    weights = 2 ** np.arange(REGISTER_BITS - 1, -1, -1)
    supply = neurons.technology.supply
    energy = {b: _cycle_energy(neurons, signals, [(supply, f"v{b}")]) for b in BLOCKS}
    inputs = [(signals.voltage(node), f"v{node}") for node in _input_sources(neurons)]
    return CmosEvents(
        spike=sample([f"spike{n}" for n in range(neurons.neurons)], 1.3),
        state=stages @ weights,
        energy=energy,
        source_energy=_cycle_energy(neurons, signals, inputs),
    )


def _digital(level: NDArray[np.float64], nodes: list[str]) -> NDArray[np.bool_]:
    """Bits from levels relative to the supply."""
    doubtful = np.argwhere((level > 0.2) & (level < 0.8))
    if doubtful.size:
        cycle, column = doubtful[0]
        raise ConfigError(
            f"{nodes[column]} is at {level[cycle, column]:.2f} of the supply in cycle {cycle}, "
            "neither 0 nor 1; make the clock's period longer"
        )
    return np.asarray(level > 0.5)


def _cycle_energy(
    neurons: CmosNeurons,
    signals: Signals,
    sources: Sequence[tuple[float | NDArray[np.float64], str]],
) -> NDArray[np.float64]:
    """Energy [J] out of sources, cycle by cycle: SPICE counts the current into the plus."""
    power = np.zeros_like(signals.time)
    for voltage, name in sources:
        power -= voltage * signals.current(name)
    running = cumulative_trapezoid(power, signals.time, initial=0.0)
    limits = np.arange(neurons.cycles + 1) * neurons.period
    return np.diff(np.interp(limits, signals.time, running))
