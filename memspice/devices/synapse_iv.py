"""Current-voltage curves of a synapse cell: ohmic, sinh, cubic.

Each curve has the cell's conductance ``G`` as its slope at the origin, is odd and rises
everywhere, so that a Newton solver finds one solution:

    ohmic  I = G V
    sinh   I = G V0 sinh(V / V0)     tunnelling through a gap; V0 = 0.25 V in the Stanford model
    cubic  I = G (V + k V^3)         metal oxides, read up to about 0.4 V

``models/synapse_cell.va`` and ``.lib`` are the same curves for SPICE: both terms in one equation,
chosen by parameters.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memspice.quantities import Parameters, quantity

Array = NDArray[np.float64]

#: Beyond this many scales a sinh goes on along its tangent: trial voltages cannot overflow it.
SINH_LIMIT = 40.0


class OhmicCell(Parameters):
    """Linear cell: ``I = G V``."""

    kind: Literal["ohmic"] = "ohmic"
    linear: ClassVar[bool] = True

    def current(self, voltage: ArrayLike, conductance: ArrayLike) -> Array:
        """Current through the cell.

        Parameters
        ----------
        voltage : array_like, any shape, [V]
            Word line minus bit line.
        conductance : array_like, broadcasts against the voltage, [S]
            Slope at the origin.

        Returns
        -------
        ndarray, [A]
            From word line to bit line where the voltage is positive.
        """
        return np.multiply(conductance, voltage, dtype=np.float64)

    def slope(self, voltage: ArrayLike, conductance: ArrayLike) -> Array:
        """Differential conductance ``dI/dV`` [S]; arguments as in :meth:`current`."""
        return np.multiply(conductance, np.ones(np.shape(voltage)), dtype=np.float64)

    def excess(self, voltage: float) -> float:
        """Share of the current that an ohmic cell would not carry: ``I / (G V) - 1``, [1]."""
        del voltage
        return 0.0


class SinhCell(Parameters):
    """Cell that conducts through a gap: ``I = G V0 sinh(V / V0)``, ohmic for a large ``V0``.

    Beyond 40 ``V0`` the curve goes on along its tangent.
    """

    kind: Literal["sinh"] = "sinh"
    linear: ClassVar[bool] = False
    voltage_scale: float = quantity("V", "V0, at which the sinh sets in", gt=0)

    def current(self, voltage: ArrayLike, conductance: ArrayLike) -> Array:
        """Current [A], as :meth:`OhmicCell.current`."""
        scaled = np.asarray(voltage, np.float64) / self.voltage_scale
        return np.asarray(np.multiply(conductance, self.voltage_scale) * bounded_sinh(scaled))

    def slope(self, voltage: ArrayLike, conductance: ArrayLike) -> Array:
        """Differential conductance [S], as :meth:`OhmicCell.slope`."""
        scaled = np.asarray(voltage, np.float64) / self.voltage_scale
        return np.asarray(np.multiply(conductance, bounded_cosh(scaled)))

    def excess(self, voltage: float) -> float:
        """Share of the current beyond ohmic, ``sinh(u) / u - 1`` with ``u = V / V0``, [1]."""
        return 0.0 if voltage == 0 else float(self.current(voltage, 1.0)) / voltage - 1


class CubicCell(Parameters):
    """Cell with a cubic part: ``I = G (V + k V^3)``, ohmic for ``k = 0``."""

    kind: Literal["cubic"] = "cubic"
    linear: ClassVar[bool] = False
    cubic_coefficient: float = quantity("1/V^2", "k, cubic part of the current", ge=0)

    def current(self, voltage: ArrayLike, conductance: ArrayLike) -> Array:
        """Current [A], as :meth:`OhmicCell.current`."""
        value = np.asarray(voltage, np.float64)
        return np.asarray(np.multiply(conductance, value + self.cubic_coefficient * value**3))

    def slope(self, voltage: ArrayLike, conductance: ArrayLike) -> Array:
        """Differential conductance [S], as :meth:`OhmicCell.slope`."""
        value = np.asarray(voltage, np.float64)
        return np.asarray(np.multiply(conductance, 1 + 3 * self.cubic_coefficient * value**2))

    def excess(self, voltage: float) -> float:
        """Share of the current beyond ohmic, ``k V^2``, [1]."""
        return self.cubic_coefficient * voltage**2


CellCurve = OhmicCell | SinhCell | CubicCell


def bounded_sinh(scaled: ArrayLike) -> Array:
    """``sinh``, along its tangent beyond ``SINH_LIMIT``: finite, odd and smooth everywhere."""
    value = np.asarray(scaled, np.float64)
    inside = np.clip(value, -SINH_LIMIT, SINH_LIMIT)
    return np.asarray(np.sinh(inside) + (value - inside) * np.cosh(inside))


def bounded_cosh(scaled: ArrayLike) -> Array:
    """Slope of :func:`bounded_sinh`."""
    return np.asarray(np.cosh(np.clip(np.asarray(scaled, np.float64), -SINH_LIMIT, SINH_LIMIT)))
