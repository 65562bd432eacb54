"""What may stand in series with a synapse cell: an access transistor, or a selector.

``models/access_transistor`` and ``models/selector`` (``.va``, ``.lib``) are the same devices for
SPICE.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import model_validator

from memspice.devices.constants import BOLTZMANN, ELEMENTARY_CHARGE
from memspice.devices.synapse_iv import SINH_LIMIT, bounded_cosh, bounded_sinh
from memspice.quantities import Parameters, quantity

Array = NDArray[np.float64]


class AccessTransistor(Parameters):
    """n-channel transistor in one equation, smooth from off to saturation and symmetric.

    With ``Ut = kT/q``, pinch-off voltage ``Vp = (Vg - Vth)/n``, ``Is = 2 n beta Ut^2`` and
    ``F(y) = ln(1 + exp(y/2))^2``, all voltages against the bulk:

        I = Is (F((Vp - Vs)/Ut) - F((Vp - Vd)/Ut))

    which is the interpolation of the EKV model [1]_ for a long channel: without mobility
    reduction, velocity saturation, channel-length modulation, gate current and charge, and
    without the change of Vth with temperature.

    References
    ----------
    .. [1] Enz, Krummenacher, Vittoz, Analog Integr. Circuits Signal Process. 8, 83 (1995).
    """

    transconductance: float = quantity("A/V^2", "beta, mobility times C_ox times W/L", gt=0)
    threshold_voltage: float = quantity("V", "Vth, source at the bulk")
    slope_factor: float = quantity("1", "n, gate voltage per surface potential", ge=1)
    temperature: float = quantity("K", "Temperature of the channel", gt=0, default=300.0)

    @property
    def thermal_voltage(self) -> float:
        """``kT/q``, [V]."""
        return float(BOLTZMANN * self.temperature / ELEMENTARY_CHARGE)

    def current(
        self, drain: ArrayLike, gate: ArrayLike, source: ArrayLike, bulk: ArrayLike = 0.0
    ) -> Array:
        """Current from drain to source.

        Parameters
        ----------
        drain, gate, source, bulk : array_like, broadcast against each other, [V]
            Terminal voltages against any common reference.

        Returns
        -------
        ndarray, [A]
            Changes its sign when drain and source are exchanged.
        """
        d, g, s, b = (np.asarray(value, np.float64) for value in (drain, gate, source, bulk))
        pinch = b + (g - b - self.threshold_voltage) / self.slope_factor
        forward, reverse = self._root(pinch - s), self._root(pinch - d)
        return np.asarray(self._scale * (forward + reverse) * (forward - reverse))

    def through(self, top: ArrayLike, gate: ArrayLike, bit: ArrayLike) -> Array:
        """Current [A] from its upper node to the bit line, all in [V]; its bulk is at ground."""
        return self.current(top, gate, bit)

    @property
    def _scale(self) -> float:
        """``Is``, [A]."""
        return 2 * self.slope_factor * self.transconductance * self.thermal_voltage**2

    def _root(self, voltage: Array) -> Array:
        """Square root of ``F``."""
        return np.asarray(np.logaddexp(0.0, voltage / (2 * self.thermal_voltage)))


class Selector(Parameters):
    """Two-terminal selector, exponential to both sides: ``I = I_on sinh(V/V0) / sinh(V_on/V0)``.

    A threshold of the exponential kind (tunnel or mixed conduction), without snap-back or delay.
    Beyond 40 ``V0`` the curve goes on along its tangent.
    """

    on_current: float = quantity("A", "Current at the on voltage", gt=0)
    on_voltage: float = quantity("V", "Voltage at which the selector counts as on", gt=0)
    voltage_scale: float = quantity("V", "V0, raises the current e times", gt=0)

    @model_validator(mode="after")
    def _within_the_sinh(self) -> Selector:
        if self.on_voltage > SINH_LIMIT * self.voltage_scale:
            raise ValueError(
                f"on_voltage = {self.on_voltage:g} V must be at most {SINH_LIMIT:g} times "
                f"voltage_scale = {self.voltage_scale:g} V"
            )
        return self

    def current(self, voltage: ArrayLike) -> Array:
        """Current [A] from the first terminal to the second, for their voltage [V]."""
        scaled = np.asarray(voltage, np.float64) / self.voltage_scale
        return np.asarray(self._scale * bounded_sinh(scaled))

    def through(self, top: ArrayLike, gate: ArrayLike, bit: ArrayLike) -> Array:
        """Current [A] from its upper node to the bit line, all in [V]; it has no gate."""
        del gate
        return self.current(np.subtract(top, bit))

    def slope(self, voltage: ArrayLike) -> Array:
        """Differential conductance ``dI/dV`` [S] at a voltage [V]."""
        scaled = np.asarray(voltage, np.float64) / self.voltage_scale
        return np.asarray(self._scale / self.voltage_scale * bounded_cosh(scaled))

    @property
    def _scale(self) -> float:
        return self.on_current / math.sinh(self.on_voltage / self.voltage_scale)


AccessDevice = AccessTransistor | Selector
