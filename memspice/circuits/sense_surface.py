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

    ``drive_worst``, ``drive_rms`` are in [V]; ``energy_worst``, ``energy_rms`` relative, [1];
    ``relief_worst`` in [J].
    """

    points: int
    drive_worst: float
    drive_rms: float
    energy_worst: float
    energy_rms: float
    relief_worst: float


@dataclass(frozen=True, eq=False)
class Bent:
    """One quantity over the currents of two lines, and what the lines' conductances change of it.

    Parameters
    ----------
    coefficients : ndarray, shape (degree + 1, degree + 1)
        Of Chebyshev polynomials over the range of currents, plus line first, at the mean
        conductance; in the unit of the quantity.
    bends : ndarray, shape (2, 2, k, k)
        Those of its slope and curvature in the conductance of the plus line, and of the minus
        line, over half of the range of conductances.
    """

    coefficients: np.ndarray
    bends: np.ndarray

    def at(self, place: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """Values (...) at currents and conductances (..., 2), both over their range, -1 to 1."""
        found = _value(self.coefficients, place)
        for line, (slope, curvature) in enumerate(self.bends):
            off = apart[..., line]
            found = found + off * (_value(slope, place) + off * _value(curvature, place))
        return np.asarray(found)


@dataclass(frozen=True, eq=False)
class SenseSurface:
    """Drive and joules of a sense stage over the currents and conductances of its two lines.

    Parameters
    ----------
    limits : tuple of float, [A]
        Range of both currents.
    conductances : tuple of float, [S]
        Range of both lines' conductances.
    drive : Bent, [V]
        Effective write voltage.
    energy : Bent, [J]
        What flows into the stage at all of its terminals in a cycle.
    relief : Bent, [J]
        What cells and wires of both lines dissipate less in a cycle than if the lines were at
        their level all the time that the rows are driven.
    drift, memory : float, [V]
        Largest change of the drive between the first two cycles that count, and by what the cycle
        before carried.
    droop : float, [V]
        Largest change of the drive while it acts.
    error : SurfaceError
    """

    limits: tuple[float, float]
    conductances: tuple[float, float]
    drive: Bent
    energy: Bent
    relief: Bent
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
        return self.drive.at(*self._place(currents, conductances))

    def joules(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """Joules a cycle of the stage; arguments, shape and errors as of `drive_voltage`."""
        return self.energy.at(*self._place(currents, conductances))

    def relieved(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """Joules a cycle that cells do not dissipate; the rest as of `drive_voltage`."""
        return self.relief.at(*self._place(currents, conductances))

    def _place(
        self, currents: np.ndarray, conductances: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return (
            _scaled(self.limits, currents, "current", "A"),
            _scaled(self.conductances, conductances, "conductance", "S"),
        )


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
