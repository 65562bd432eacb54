"""Spikes, random numbers and joules of simulated CMOS neurons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memspice.circuits.cmos.logic import REGISTER_BITS, Integers
from memspice.circuits.cmos.neuron import BLOCKS, CmosNeurons
from memspice.circuits.signals import Signals, energy_between, source_power
from memspice.errors import ConfigError


@dataclass(frozen=True, eq=False)
class CmosEvents:
    """Events of simulated CMOS neurons.

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
    codes = [f"z{n}_{bit}" for n in range(neurons.neurons) for bit in range(neurons.code_bits)]
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
    starts, supply = np.arange(neurons.cycles + 1) * neurons.period, neurons.technology.supply

    def sample(nodes: list[str], share: float) -> NDArray[np.bool_]:
        instants = starts[:-1] + share * neurons.period
        found = [np.interp(instants, signals.time, signals.voltage(node)) for node in nodes]
        return digital(np.stack(found, axis=-1) / supply, nodes)

    def energy(power: NDArray[np.float64]) -> NDArray[np.float64]:
        return energy_between(signals.time, power, starts)

    stages = sample([f"q{k}" for k in range(1, REGISTER_BITS + 1)], 0.95)
    weights = 2 ** np.arange(REGISTER_BITS - 1, -1, -1)
    inputs = [source_power(signals, n, signals.voltage(n)) for n in _input_sources(neurons)]
    return CmosEvents(
        spike=sample([f"spike{n}" for n in range(neurons.neurons)], 1.3),
        state=stages @ weights,
        energy={block: energy(source_power(signals, block, supply)) for block in BLOCKS},
        source_energy=energy(np.sum(inputs, axis=0)),
    )


def digital(level: NDArray[np.float64], nodes: list[str]) -> NDArray[np.bool_]:
    """Bits from levels (cycles, nodes) relative to the supply.

    Raises
    ------
    ConfigError
        If a level is neither 0 nor 1.
    """
    doubtful = np.argwhere((level > 0.2) & (level < 0.8))
    if doubtful.size:
        cycle, column = doubtful[0]
        raise ConfigError(
            f"{nodes[column]} is at {level[cycle, column]:.2f} of the supply in cycle {cycle}, "
            "neither 0 nor 1; make the clock's period longer"
        )
    return np.asarray(level > 0.5)
