"""The Stanford/PKU model of metal-oxide RRAM, version 1."""

from __future__ import annotations

import numpy as np
from pydantic import model_validator

from memspice.devices.constants import BOLTZMANN, ELEMENTARY_CHARGE
from memspice.devices.synapse_iv import bounded_sinh
from memspice.quantities import Parameters, quantity

#: Largest argument of the sinh of the rate, [1].
FIELD_LIMIT = 80.0
#: Length that the gap is divided by in the local field enhancement, [m].
ENHANCEMENT_LENGTH = 1e-9


class Stanford(Parameters):
    """Constants of the model; the NumPy form of ``models/stanford.va`` and ``.lib`` [1]_ [2]_.

    A conducting filament ends a tunnelling gap g before the electrode::

        I = current_scale exp(-g/gap_scale) sinh(V/voltage_scale)
        dg/dt = -velocity exp(-activation_temperature/T)
                sinh(gamma atom_spacing/oxide_thickness qV/(kT)) r f
        gamma = field_enhancement - enhancement_slope (g/1 nm)^3
        T = ambient_temperature + |V I| thermal_resistance
        r = (gamma |V|/oxide_thickness - field_min)/field_width, at least 0 and at most 1
        g = gap_max - (gap_max - gap_min) x
        f = tanh((1 - x)/window) for V > 0, tanh(x/window) for V < 0

    The state x is 1 at the smallest gap (on), 0 at the largest (off); a positive voltage turns the
    device on.

    Raises
    ------
    pydantic.ValidationError
        If a value is out of its bounds, or ``gap_min`` is not below ``gap_max``; ConfigError where
        it is made by :func:`~memspice.quantities.validate`.

    Notes
    -----
    The published code clips g at its ends and lets all motion begin at once at ``field_min``.  Both
    jump and stall a solver: here f slows the motion within ``window`` of the end ahead, and r lets
    it begin over ``field_width``; below ``field_min`` the gap rests here too.  The published noise
    of dg/dt, drawn anew at each evaluation, is left out: its strength would hang on the solver's
    step.  Heat is stored nowhere: T follows the power at once.  Nothing limits the current: a set
    needs a series resistor or a transistor, as in the laboratory, or tens of milliamperes flow.

    References
    ----------
    .. [1] Guan, Yu, Wong, IEEE Electron Device Lett. 33, 1405 (2012).
    .. [2] Jiang et al., IEEE Trans. Electron Devices 63, 1884 (2016).
    """

    current_scale: float = quantity("A", "I0", gt=0)
    gap_scale: float = quantity("m", "g0", gt=0)
    voltage_scale: float = quantity("V", "V0", gt=0)
    velocity: float = quantity("m/s", "v0", ge=0)
    activation_temperature: float = quantity("K", "Ea/k", gt=0)
    field_enhancement: float = quantity("1", "gamma0", gt=0)
    enhancement_slope: float = quantity("1", "beta", ge=0)
    field_min: float = quantity("V/m", "F_min, local field at which the motion begins", ge=0)
    field_width: float = quantity("V/m", "Field beyond F_min at which the motion is free", gt=0)
    atom_spacing: float = quantity("m", "a0", gt=0)
    oxide_thickness: float = quantity("m", "tox", gt=0)
    thermal_resistance: float = quantity("K/W", "Rth", ge=0)
    ambient_temperature: float = quantity("K", "T0", gt=0)
    gap_min: float = quantity("m", "Smallest gap", ge=0)
    gap_max: float = quantity("m", "Largest gap", gt=0)
    window: float = quantity("1", "State within which the motion slows down", gt=0, le=1)
    initial_state: float = quantity("1", "State before the first pulse", ge=0, le=1)
    pulse: float = quantity("s", "Time scale of a run, for SPICE only", gt=0, default=1.0)

    @model_validator(mode="after")
    def _check_order(self) -> Stanford:
        if self.gap_min >= self.gap_max:
            raise ValueError(
                f"gap_min = {self.gap_min:g} m must be below gap_max = {self.gap_max:g} m"
            )
        return self

    def gap(self, state: np.ndarray | float) -> np.ndarray:
        """Length of the tunnelling gap, [m], for ``state`` [1] of any shape.

        A state below 0 counts as 0, one above 1 as 1.
        """
        return self.gap_max - (self.gap_max - self.gap_min) * np.clip(state, 0.0, 1.0)

    def current(self, voltage: np.ndarray | float, state: np.ndarray | float) -> np.ndarray:
        """Current [A], positive for a positive voltage [V]; of the arguments' broadcast shape.

        A state [1] below 0 counts as 0, one above 1 as 1.
        """
        scale = self.current_scale * np.exp(-self.gap(state) / self.gap_scale)
        return np.asarray(scale * bounded_sinh(np.asarray(voltage) / self.voltage_scale))

    def temperature(self, voltage: np.ndarray | float, state: np.ndarray | float) -> np.ndarray:
        """Temperature of the filament [K]; arguments as in :meth:`current`.

        At least ``ambient_temperature``: the device takes up power at either sign.
        """
        power = np.multiply(voltage, self.current(voltage, state))
        return np.asarray(self.ambient_temperature + self.thermal_resistance * power)

    def state_rate(self, voltage: np.ndarray | float, state: np.ndarray | float) -> np.ndarray:
        """Time derivative of the state [1/s]; arguments as in :meth:`current`.

        Of the sign of the voltage; 0 at the bound ahead, and below the field ``field_min``.
        """
        voltage, state = np.asarray(voltage, dtype=float), np.asarray(state, dtype=float)
        kelvin = self.temperature(voltage, state)
        gap = self.gap(state) / ENHANCEMENT_LENGTH
        gamma = self.field_enhancement - self.enhancement_slope * gap**3
        field = gamma * np.abs(voltage) / self.oxide_thickness
        free = np.clip((field - self.field_min) / self.field_width, 0.0, 1.0)
        lowered = field * self.atom_spacing * ELEMENTARY_CHARGE / BOLTZMANN / kelvin
        attempt = self.velocity / (self.gap_max - self.gap_min)
        speed = attempt * np.exp(-self.activation_temperature / kelvin)
        speed = speed * np.sinh(np.minimum(lowered, FIELD_LIMIT)) * free
        left = np.where(voltage > 0, 1 - state, -state)
        return np.asarray(speed * np.tanh(left / self.window))
