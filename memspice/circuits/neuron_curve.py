"""What is known of a neuron that was measured in SPICE: when it switches, and what that takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memspice.circuits.timing import Timing
from memspice.devices.measured_hazard import MeasuredHazard


@dataclass(frozen=True, eq=False)
class NeuronCurve:
    """Measured neuron; first of each pair unswitched, then switched.

    Parameters
    ----------
    timing : Timing
        Phases of the cycle that it was measured in.
    hazard : MeasuredHazard
        Hazard integral of a write pulse against the write voltage.
    write : ndarray, shape (2, points), [J]
        Energy of the write phase at each voltage of ``hazard``: never switched, and at once.
    read, reset : ndarray, shape (2,), [J]
        Energy of these phases, mean over the voltages.
    levels : ndarray, shape (2,), [V]
        Of the read node, when it is looked at: highest unswitched, lowest switched.
    disturb : float, [1]
        Probability that a read pulse sets an unswitched neuron: by the growth of its integral.
    error : float, [1]
        Largest deviation of ``ln H`` at voltages between those of ``hazard``.
    memory : float, [1]
        Largest change of ``ln H`` by what the cycle before did.
    """

    timing: Timing
    hazard: MeasuredHazard
    write: np.ndarray
    read: np.ndarray
    reset: np.ndarray
    levels: np.ndarray
    disturb: float
    error: float
    memory: float
