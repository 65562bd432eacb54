r"""Thermal field of a macrospin: a path drawn outside of any solver, the same for each of them.

The field is constant over intervals ``dt``, each component normal with
``sigma = sqrt(2 alpha kB T / (mu0 gamma Ms V dt))``.  One event has the same path in NumPy and in
SPICE, and a coarser path is the average of a finer one (Brownian refinement).  A path is piecewise
smooth, so what it drives tends to the Stratonovich solution as ``dt`` goes to zero.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri

from memspice.devices.constants import BOLTZMANN
from memspice.devices.magnet.macrospin import GYROMAGNETIC, MacrospinMtj
from memspice.errors import ShapeError
from memspice.quantities import Parameters, quantity

#: One value of Philox's 256-bit counter yields this many 64-bit draws.
_BLOCK = 4


class ThermalBath(Parameters):
    """Temperature, and how finely its field is resolved."""

    temperature: float = quantity("K", "Temperature of the free layer", ge=0)
    interval: float = quantity("s", "Time over which the thermal field is constant", gt=0)


def thermal_normals(
    seed: int, layer: int, image: int, cycle: int, event: int, first: int, count: int
) -> np.ndarray:
    """Standard normal draws of one event's thermal field, interval by interval.

    A pure function of its arguments, like `memspice.devices.draws.event_uniforms` and never the
    same draws as there: the event number, from 1, stands in a part of Philox's counter that is 0
    there.

    Parameters
    ----------
    seed, layer, image, cycle : int
        As in `event_uniforms`.
    event : int
        Number of the event, ``position * neurons + neuron``.
    first, count : int
        Number of the first interval, and how many follow.

    Returns
    -------
    ndarray, shape (count, 3), [1]
    """
    key = np.array([seed, (layer << 40) | image], dtype=np.uint64)
    bits = np.random.Philox(key=key, counter=[0, 1 + event, 0, cycle])
    blocks, skip = divmod(3 * first, _BLOCK)
    if blocks:
        bits.advance(blocks)
    raw = bits.random_raw(skip + 3 * count)[skip:]
    return np.asarray(ndtri(((raw >> np.uint64(12)) + 0.5) * 2.0**-52)).reshape(count, 3)


def thermal_strength(device: MacrospinMtj, bath: ThermalBath) -> float:
    """Standard deviation of each component of the thermal field, [A/m]."""
    power = 2 * device.damping * BOLTZMANN * bath.temperature
    return math.sqrt(power / (GYROMAGNETIC * device.moment * bath.interval))


def coarsen(path: np.ndarray, factor: int) -> np.ndarray:
    """Average a path of the thermal field over ``factor`` intervals: the same noise, coarser.

    Parameters
    ----------
    path : ndarray, shape (intervals, ...), [A/m]
    factor : int

    Returns
    -------
    ndarray, shape (intervals / factor, ...), [A/m]
        Its standard deviation is that of the longer interval.

    Raises
    ------
    ShapeError
        If the intervals are no multiple of ``factor``.
    """
    if factor < 1 or len(path) % factor:
        raise ShapeError(f"{len(path)} intervals cannot be averaged in groups of {factor}")
    return np.asarray(path.reshape(-1, factor, *path.shape[1:]).mean(axis=1))
