"""What is read from a simulated circuit: power of its sources, energy between instants."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Signals(Protocol):
    """Waveforms on one time axis, as an engine returns them."""

    @property
    def time(self) -> np.ndarray:
        """Time points, shape (points,), [s]."""
        ...

    def voltage(self, node: str) -> np.ndarray:
        """Voltage of a node, shape (points,), [V]."""
        ...

    def current(self, source: str) -> np.ndarray:
        """Current of a voltage source, from plus through the source to minus, (points,), [A]."""
        ...


def source_power(signals: Signals, name: str, voltage: float | np.ndarray) -> np.ndarray:
    """Power that a voltage source delivers, shape (points,), [W].

    SPICE counts the current into the plus terminal: a source that delivers has a negative one.

    Parameters
    ----------
    signals : Signals
        With the current of the source.
    name : str
        Of the source, without its ``V``.
    voltage : float or ndarray, shape (points,), [V]
        Of the source.
    """
    return np.asarray(-voltage * signals.current(f"v{name}"))


def output_stage_power(
    level: np.ndarray, load: np.ndarray, resistance: float, upper: float, lower: float
) -> np.ndarray:
    """Power in a stage that takes its output current from the upper or the lower rail, [W].

    Parameters
    ----------
    level, load : ndarray, shape (points,), [V]
        Before and behind the output resistance.
    resistance : float, [ohm]
    upper, lower : float, [V]
        Rails.
    """
    current = (level - load) / resistance
    source, sink = np.maximum(current, 0), np.maximum(-current, 0)
    return np.asarray((upper - level) * source + (level - lower) * sink + current**2 * resistance)


def energy_between(time: np.ndarray, power: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Energy between successive instants, integrated on the solver's own time points, [J].

    Parameters
    ----------
    time, power : ndarray, shape (points,), [s] and [W]
        Waveform; straight between its points.
    limits : ndarray, shape (..., instants), [s]
        Within ``time``.

    Returns
    -------
    ndarray, shape (..., instants - 1), [J]
    """
    return _between(time, _pieces(time, power), limits)


def delivered_between(time: np.ndarray, power: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """The same of a source that does not get back what flows into it.

    Step by step: at the points themselves the trapezoidal rule lets the current of a capacitor
    swing about the mean that moves its charge.
    """
    return _between(time, np.maximum(_pieces(time, power), 0.0), limits)


def _pieces(time: np.ndarray, power: np.ndarray) -> np.ndarray:
    return np.asarray(np.diff(time) * (power[1:] + power[:-1]) / 2)


def _between(time: np.ndarray, pieces: np.ndarray, limits: np.ndarray) -> np.ndarray:
    running = np.concatenate([[0.0], np.cumsum(pieces)])
    return np.diff(np.interp(limits, time, running), axis=-1)
