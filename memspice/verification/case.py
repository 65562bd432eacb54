"""One deck that every engine must agree on, and what is compared of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from memspice.circuits.deck import Deck
from memspice.engines.base import SolverOptions, Transient
from memspice.engines.waveforms import Waveforms

Events = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class VerifyCase:
    """One deck, and what is compared of it.

    Parameters
    ----------
    name, what : str
        Short name, and what the deck shows.
    deck : Deck
    analysis : Transient
    ports : tuple of (str, str)
        Voltage sources through which charge and energy are counted, each with the node at its
        plus terminal; their minus is ground.
    states : tuple of str
        Nodes whose whole course is compared.
    options : SolverOptions
    save : tuple of str
        Signals that the events are read from.
    events : callable, optional
        Spikes and hazard integrals (cycles, neurons) of a run.
    thresholds, hazard : ndarray, shape (cycles, neurons), [1]
        Draws of the events, and the hazard integrals of the closed form.
    """

    name: str
    what: str
    deck: Deck
    analysis: Transient
    ports: tuple[tuple[str, str], ...]
    states: tuple[str, ...] = ()
    options: SolverOptions = field(default_factory=lambda: SolverOptions(reltol=1e-5))
    save: tuple[str, ...] = ()
    events: Callable[[Waveforms], Events] | None = None
    thresholds: np.ndarray | None = None
    hazard: np.ndarray | None = None
