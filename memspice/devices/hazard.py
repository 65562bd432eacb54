"""The hazard law that both stochastic neuron devices obey.

An unswitched device under a voltage ``V`` switches at the rate (hazard)

    1 / tau(V) = exp(V / V0) / tau0

and has switched once the integral of the hazard over the write phase reaches ``E ~ Exp(1)``.
For a flat pulse of length ``t``:  ``P(V) = 1 - exp(-(t / tau0) exp(V / V0))``, the complementary
log-log law.  The Neel-Brown law of an MTJ, linear in its drive,
``tau(V) = t_a exp(D (1 - V / Vc0))``, is the same with ``V0 = Vc0 / D`` and ``tau0 = t_a exp(D)``.

Such a device switches at rest, too, after ``tau0`` in the mean.  Where it does not, the rate has
the form ``2 sinh(V / V0) / tau0``, the same at high field (`memspice.devices.rate_forms`).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from memspice.devices.rate_forms import RATE_FORMS, RateForm
from memspice.quantities import Parameters, quantity


class HazardLaw(Parameters):
    """Rate of switching against voltage: ``exp(V / voltage_scale) / time_scale``.

    ``form`` is ``exponential``, or ``sinh`` for a device that does not switch at rest.
    """

    form: Literal["exponential", "sinh"] = "exponential"
    voltage_scale: float = quantity("V", "V0, the voltage that raises the rate e times", gt=0)
    time_scale: float = quantity("s", "tau0, the mean time to a switch without voltage", gt=0)
    pivot_voltage: float = quantity(
        "V", "Voltage at which devices of different V0 have the same rate", default=0.0
    )

    @classmethod
    def from_neel_brown(
        cls, attempt_time: float, critical_voltage: float, barrier: float
    ) -> HazardLaw:
        """Neel-Brown law of an MTJ, linear in its drive.

        Parameters
        ----------
        attempt_time : float, [s]
            Inverse attempt rate ``t_a``.
        critical_voltage : float, [V]
            ``Vc0``, at which the barrier vanishes; the law holds below it.
        barrier : float, [1]
            ``D``, barrier height in units of ``kT``.  At another temperature scale it by
            ``T_ref / T``.

        Returns
        -------
        HazardLaw
            With ``V0 = Vc0 / D`` and ``tau0 = t_a exp(D)``; its pivot is ``Vc0``, where the rate is
            ``1 / t_a`` whatever the barrier.
        """
        return cls(
            voltage_scale=critical_voltage / barrier,
            time_scale=attempt_time * math.exp(barrier),
            pivot_voltage=critical_voltage,
        )

    @property
    def rate(self) -> RateForm:
        """How the rate depends on ``V / V0``."""
        return RATE_FORMS[self.form]

    def mean_time(self, voltage: float) -> float:
        """Mean time to a switch under a steady voltage [V], [s]; infinite where there is none."""
        log_rate = self.rate.log_rate(voltage / self.voltage_scale)
        return math.inf if log_rate == -math.inf else self.time_scale * math.exp(-log_rate)

    def shifted(self, voltage: float, log_ratio: float) -> float:
        """Voltage [V] at which the rate is ``exp(log_ratio)`` times that at another [V]."""
        step = self.rate.step(voltage / self.voltage_scale, log_ratio)
        return voltage + self.voltage_scale * step

    def log_hazard_integral(
        self, voltage: np.ndarray | float, flat: float, edge: float = 0.0
    ) -> np.ndarray:
        """Logarithm of the hazard integral over one trapezoidal pulse.

        ``H = [flat e^v + 2 edge (e^v - 1) / v] / tau0`` with ``v = V / V0``: the linear edges are
        integrated exactly, in the form ``sinh`` likewise.

        Parameters
        ----------
        voltage : array_like, any shape, [V]
            Voltage over the unswitched device while the pulse is flat.
        flat, edge : float, [s]
            Length of the flat part and of each edge.

        Returns
        -------
        ndarray, same shape and precision, [1]
            ``ln H``; the device switches when ``H >= E``.
        """
        voltage = np.asarray(voltage)
        dtype = np.result_type(voltage.dtype, np.float32)
        scaled = voltage.astype(dtype, copy=False) / dtype.type(self.voltage_scale)
        offset = dtype.type(math.log(flat / self.time_scale))
        return self.rate.log_pulse_integral(scaled, offset, 2 * edge / flat)

    def switching_probability(
        self, voltage: np.ndarray | float, flat: float, edge: float = 0.0
    ) -> np.ndarray:
        """Probability that one pulse switches the device: ``1 - exp(-H)``.

        Parameters are those of :meth:`log_hazard_integral`.

        Returns
        -------
        ndarray, same shape as ``voltage``, [1]
            Between 0 and 1.
        """
        log_integral = np.minimum(self.log_hazard_integral(voltage, flat, edge), 50.0)
        return np.asarray(-np.expm1(-np.exp(log_integral)))

    def unit_voltage(self, flat: float, edge: float = 0.0) -> float:
        """Voltage [V] at which the hazard integral of a pulse is one (``P`` = 63.2 %).

        It is the origin of the network's scale: a weighted input of ``z`` makes the voltage
        ``unit_voltage + z * voltage_scale`` and so ``P = 1 - exp(-exp(z))``.
        """
        scale, form = self.voltage_scale, self.rate
        voltage = scale * form.scaled_of(-math.log(flat / self.time_scale))
        for _ in range(50):  # edges shift it by V0 * 2 edge / flat at most: a fast fixed point
            log_integral = float(self.log_hazard_integral(voltage, flat, edge))
            voltage -= scale * log_integral / form.slope(voltage / scale)
        return voltage
