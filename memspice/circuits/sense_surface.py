"""The surface of a sense stage: drive and joules over the currents of its two lines.

It stands for a stage without a closed form wherever no circuit is solved;
`memspice.analysis.sense_surface` measures it in SPICE.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

from memspice.errors import ConfigError


@dataclass(frozen=True)
class SurfaceError:
    """Error of a surface at points that it was not made from, against the circuit.

    ``drive_worst``, ``drive_rms`` are in [V]; ``energy_worst``, ``energy_rms`` relative, [1].
    """

    points: int
    drive_worst: float
    drive_rms: float
    energy_worst: float
    energy_rms: float


@dataclass(frozen=True, eq=False)
class SenseSurface:
    """Drive and energy of a sense stage over the currents and conductances of its two lines.

    Parameters
    ----------
    limits : tuple of float, [A]
        Range of both currents.
    conductances : tuple of float, [S]
        Range of both lines' conductances.
    drive, energy : ndarray, shape (degree + 1, degree + 1), [V] and [J]
        Chebyshev coefficients over the range of currents, plus line first, at the mean
        conductance: effective write voltage, and joules a cycle that flow into the stage at all
        of its terminals.
    drive_bends, energy_bends : ndarray, shape (2, 2, k, k), [V] and [J]
        Coefficients of their slope and curvature in the conductance of the plus line, and of the
        minus line, over half of the range of conductances.
    drift, memory : float, [V]
        Largest change of the drive between the first two cycles that count, and by what the cycle
        before carried.
    droop : float, [V]
        Largest change of the drive while it acts.
    error : SurfaceError
    """

    limits: tuple[float, float]
    conductances: tuple[float, float]
    drive: np.ndarray
    energy: np.ndarray
    drive_bends: np.ndarray
    energy_bends: np.ndarray
    drift: float
    memory: float
    droop: float
    error: SurfaceError

    def drive_voltage(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """Effective write voltage.

        Parameters
        ----------
        currents : ndarray, shape (..., 2), [A]
            Of plus and minus line, as into a short circuit at the line level.
        conductances : ndarray, shape (..., 2), [S]
            Of the lines.

        Returns
        -------
        ndarray, shape (...), [V]

        Raises
        ------
        ConfigError
            If a current or conductance lies outside of its range.
        """
        return self._at(self.drive, self.drive_bends, currents, conductances)

    def joules(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """Joules a cycle; arguments, shape and errors as of `drive_voltage`."""
        return self._at(self.energy, self.energy_bends, currents, conductances)

    def _at(
        self,
        coefficients: np.ndarray,
        bends: np.ndarray,
        currents: np.ndarray,
        conductances: np.ndarray,
    ) -> np.ndarray:
        place = _scaled(self.limits, currents, "current", "A")
        apart = _scaled(self.conductances, conductances, "conductance", "S")
        found = _value(coefficients, place)
        for line, (slope, curvature) in enumerate(bends):
            off = apart[..., line]
            found = found + off * (_value(slope, place) + off * _value(curvature, place))
        return np.asarray(found)


def fit_surface(
    limits: tuple[float, float], currents: np.ndarray, values: np.ndarray, degree: int
) -> np.ndarray:
    """Chebyshev coefficients of least squares.

    Parameters
    ----------
    limits : tuple of float, [A]
    currents : ndarray, shape (points, 2), [A]
    values : ndarray, shape (points,)
    degree : int
        In each current.

    Returns
    -------
    ndarray, shape (degree + 1, degree + 1)
    """
    place = _scaled(limits, currents, "current", "A")
    matrix = chebyshev.chebvander2d(place[:, 0], place[:, 1], [degree, degree])
    solved = np.linalg.lstsq(matrix, values, rcond=None)[0]
    return np.asarray(solved.reshape(degree + 1, degree + 1))


def _value(coefficients: np.ndarray, place: np.ndarray) -> np.ndarray:
    return np.asarray(chebyshev.chebval2d(place[..., 0], place[..., 1], coefficients))


def _scaled(limits: tuple[float, float], values: np.ndarray, what: str, unit: str) -> np.ndarray:
    """Values over their range, -1 to 1; 0 where the range is a point."""
    low, high = limits
    middle, half = (low + high) / 2, (high - low) / 2
    array = np.asarray(values, dtype=float)
    outside = np.abs(array - middle) > half + 1e-9 * max(abs(low), abs(high))
    if outside.any():
        worst = array.flat[int(np.argmax(np.abs(array - middle)))]
        raise ConfigError(
            f"a line's {what} of {worst:.4g} {unit} is outside of the characterised {low:.4g} to "
            f"{high:.4g} {unit}; widen the range"
        )
    return np.asarray((array - middle) / half if half > 0 else np.zeros_like(array))
