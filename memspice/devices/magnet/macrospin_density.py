r"""Switching of an axially symmetric macrospin without random numbers: its Fokker-Planck equation.

With everything along z, the density ``p`` of ``u = m_z`` obeys

    dp/dt = d/du [ (1 - u^2) (dp/du - 2 D (u + i) p) ] alpha g' H_k / (2 D)

where ``i = (a + alpha H_z) / (alpha H_k)`` is the torque field in units of the critical one and
``D`` the barrier in ``kB T``.  Its stationary solution is ``exp(D u^2 + 2 D i u)``: the barrier of
a macrospin under spin transfer is ``D (1 - i)^2``, quadratic in the current.

Derived from the equation of `memspice.devices.magnet.macrospin`; the same as that of Brown, Phys.
Rev. 130, 1677 (1963), with the torque as a field ``a / alpha`` in the energy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import expm

from memspice.devices.magnet.macrospin import MacrospinMtj
from memspice.errors import ConfigError


def switching_density(
    device: MacrospinMtj,
    temperature: float,
    segments: Sequence[tuple[float, float]],
    cells: int = 300,
) -> tuple[np.ndarray, np.ndarray]:
    """Density of ``m_z`` after a sequence of junction currents, from thermal rest at -z.

    Parameters
    ----------
    device : MacrospinMtj
        Symmetric about z, with a barrier.
    temperature : float, [K]
    segments : sequence of (current [A], duration [s])
        One after the other.
    cells : int
        Finite volumes between -1 and 1, an even number: the error goes with their width squared.

    Returns
    -------
    cosine : ndarray, shape (cells,), [1]
        Middles of the cells.
    share : ndarray, shape (cells,), [1]
        Probability of each cell; they add up to 1.

    Raises
    ------
    ConfigError
        If the device is not symmetric about z, has no barrier, no damping, or the temperature is
        not above 0.
    """
    _check_axial(device, temperature)
    edges, cosine = _grid(cells)
    barrier = device.barrier(temperature)
    share = np.where(cosine < 0, np.diff(edges) * np.exp(barrier * (cosine**2 - 1)), 0.0)
    share /= share.sum()
    speed = device.damping * device.gyration * device.effective_anisotropy / (2 * barrier)
    bias = device.applied_z / device.effective_anisotropy
    for current, duration in segments:
        tilt = bias + current / device.critical_current
        share = expm(speed * duration * _generator(edges, barrier, tilt)) @ share
    return cosine, share


def density_switching_probability(
    device: MacrospinMtj, temperature: float, current: float, duration: float
) -> float:
    """Probability that ``m_z > 0`` after a pulse of ``current`` [A] and ``duration`` [s].

    Starts and errors as in :func:`switching_density`.
    """
    cosine, share = switching_density(device, temperature, [(current, duration)])
    return float(share[cosine > 0].sum())


def thermal_start(device: MacrospinMtj, temperature: float, uniforms: np.ndarray) -> np.ndarray:
    """Magnetisations in thermal equilibrium in the well at -z.

    Parameters
    ----------
    device : MacrospinMtj
    temperature : float, [K]
    uniforms : ndarray, shape (2, devices), [1]
        Uniform draws in (0, 1), for the angle to the axis and around it.

    Returns
    -------
    ndarray, shape (3, devices), [1]
        Unit vectors with ``m_z < 0``, of density ``exp(D m_z^2)``.

    Raises
    ------
    ConfigError
        As :func:`switching_density`.
    """
    _check_axial(device, temperature)
    grid = np.linspace(-1, 0, 20001)
    density = np.exp(device.barrier(temperature) * (grid**2 - 1))
    below = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    cosine = np.interp(uniforms[0] * below[-1], below, grid)
    sine, around = np.sqrt(1 - cosine**2), 2 * np.pi * uniforms[1]
    return np.stack([sine * np.cos(around), sine * np.sin(around), cosine])


def escape_rate(device: MacrospinMtj, temperature: float, current: float) -> float:
    """Brown's rate [1/s] of leaving the well at -z, for a barrier of several ``kB T``.

    ``alpha g' H_k sqrt(D / pi) (1 - i^2) (1 - i) exp(-D (1 - i)^2)`` with ``i = I / Ic0`` (Brown
    1963, the torque as an effective field); asymptotic in the barrier.

    Raises
    ------
    ConfigError
        As :func:`switching_density`, or if there is no barrier left.
    """
    _check_axial(device, temperature)
    bias = device.applied_z / device.effective_anisotropy
    tilt, barrier = bias + current / device.critical_current, device.barrier(temperature)
    if abs(tilt) >= 1:
        raise ConfigError(
            f"a current of {current} A makes {tilt:.3g} of the critical torque: no barrier is "
            "left and no rate; stay below 1, or use switching_density"
        )
    attempts = device.damping * device.gyration * device.effective_anisotropy
    shape = np.sqrt(barrier / np.pi) * (1 - tilt**2) * (1 - tilt)
    return float(attempts * shape * np.exp(-barrier * (1 - tilt) ** 2))


def _grid(cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges and middles of cells of equal angle: the poles, where a layer rests, are resolved."""
    edges = -np.cos(np.linspace(0, np.pi, cells + 1))
    return edges, 0.5 * (edges[1:] + edges[:-1])


def _generator(edges: np.ndarray, barrier: float, tilt: float) -> np.ndarray:
    """Rates between cells, (cells, cells): columns add up to zero, detailed balance holds."""
    width, middle = np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    potential = -barrier * (middle**2 + 2 * tilt * middle)
    rise = np.diff(potential)
    # The flux of Scharfetter and Gummel: exact for the stationary density, and for pure drift.
    mobility = (1 - edges[1:-1] ** 2) / np.diff(middle)
    right = mobility * _bernoulli(rise) / width[:-1]
    left = mobility * _bernoulli(-rise) / width[1:]
    rates = np.diag(right, -1) + np.diag(left, 1)
    return np.asarray(rates - np.diag(rates.sum(axis=0)))


def _bernoulli(x: np.ndarray) -> np.ndarray:
    """``x / (exp(x) - 1)``, 1 at zero."""
    small = np.abs(x) < 1e-6
    safe = np.where(small, 1.0, x)
    return np.where(small, 1 - 0.5 * x, safe / np.expm1(safe))


def _check_axial(device: MacrospinMtj, temperature: float) -> None:
    if device.demag_x != device.demag_y or device.applied_x != 0 or device.applied_y != 0:
        raise ConfigError(
            f"demag_x = {device.demag_x}, demag_y = {device.demag_y}, applied_x = "
            f"{device.applied_x} A/m, applied_y = {device.applied_y} A/m: the density in m_z needs "
            "a device symmetric about z; simulate the magnetisation "
            "(memspice.devices.magnet.macrospin)"
        )
    if device.effective_anisotropy <= 0 or device.damping <= 0 or temperature <= 0:
        raise ConfigError(
            f"an effective anisotropy of {device.effective_anisotropy:.6g} A/m, a damping of "
            f"{device.damping} and a temperature of {temperature} K must all be above 0"
        )
