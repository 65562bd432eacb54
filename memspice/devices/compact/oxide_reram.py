"""A filamentary oxide ReRAM with the physics of SkyWater's published cell."""

from __future__ import annotations

import numpy as np
from pydantic import model_validator

from memspice.devices.constants import BOLTZMANN, ELEMENTARY_CHARGE
from memspice.devices.synapse_iv import bounded_sinh
from memspice.quantities import Parameters, quantity

#: Length that the gap is divided by in the local field enhancement, [m].
ENHANCEMENT_LENGTH = 1e-9


class OxideReram(Parameters):
    """Constants of the model; the NumPy form of ``models/oxide_reram.va`` and ``.lib``.

    A filament of length L in an oxide leaves a gap d, which electrons tunnel through; vacancies are
    generated and recombine over barriers that the field lowers and raises [1]_::

        dL/dt = velocity (exp(-(Eg - u)/kT) f(1 - x) - exp(-(Er + u)/kT) f(x)) / draw
        u = gamma atom_spacing/oxide_thickness V, gamma = enhancement + enhancement_slope (d/1 nm)^3
        I = current_scale exp(-d/gap_scale) sinh(V/voltage_scale), d = oxide_thickness - L
        dT/dt = (ambient_temperature + thermal_resistance V I - T)/thermal_time
        L = filament_min + x (filament_max - filament_min), f(y) = tanh(y/window)

    The state x is 1 with the longest filament (on), 0 with the shortest; a positive voltage turns
    the device on.

    Raises
    ------
    pydantic.ValidationError
        If a value is out of its bounds, or the filament does not fit into the oxide.

    Notes
    -----
    The published code steps filament and temperature by their rates at each evaluation and clips
    the filament; here both are differential equations, and f slows the filament within ``window``
    of the end ahead.  A barrier that the field has taken away is 0, not less.  ``draw`` divides
    both rates: 1 is the published cell; E ~ Exp(1), drawn once an event, makes the time of a switch
    exponential about it, which the published cell says nothing of.

    References
    ----------
    .. [1] SkyWater PDK Authors, sky130_fd_pr_reram, cell in Verilog-A (Apache 2.0).
    """

    current_scale: float = quantity("A", "I_k1", gt=0)
    gap_scale: float = quantity("m", "Tox - Tfilament_ref", gt=0)
    voltage_scale: float = quantity("V", "V_ref", gt=0)
    velocity: float = quantity("m/s", "velocity_k1", ge=0)
    generation_temperature: float = quantity("K", "Eact_generation/k", gt=0)
    recombination_temperature: float = quantity("K", "Eact_recombination/k", gt=0)
    enhancement: float = quantity("1", "gamma_k0", gt=0)
    enhancement_slope: float = quantity("1", "gamma_k1")
    atom_spacing: float = quantity("m", "a0", gt=0)
    oxide_thickness: float = quantity("m", "Tox", gt=0)
    filament_min: float = quantity("m", "Tfilament_min", ge=0)
    filament_max: float = quantity("m", "Tfilament_max", gt=0)
    thermal_resistance: float = quantity("K/W", "tau_thermal/C_thermal", ge=0)
    thermal_time: float = quantity("s", "tau_thermal", gt=0)
    ambient_temperature: float = quantity("K", "Temperature_0", gt=0)
    window: float = quantity("1", "State within which the filament slows down", gt=0, le=1)
    initial_state: float = quantity("1", "State before the first pulse", ge=0, le=1)
    pulse: float = quantity("s", "Time scale of a run, for SPICE only", gt=0, default=1.0)

    @model_validator(mode="after")
    def _check_order(self) -> OxideReram:
        if not self.filament_min < self.filament_max < self.oxide_thickness:
            raise ValueError(
                f"filament_min = {self.filament_min:g} m, filament_max = {self.filament_max:g} m "
                f"and oxide_thickness = {self.oxide_thickness:g} m must rise"
            )
        return self

    def gap(self, state: np.ndarray | float) -> np.ndarray:
        """Length of the tunnelling gap, [m], for ``state`` [1] of any shape.

        A state below 0 counts as 0, one above 1 as 1.
        """
        length = (self.filament_max - self.filament_min) * np.clip(state, 0.0, 1.0)
        return np.asarray(self.oxide_thickness - self.filament_min - length)

    def current(self, voltage: np.ndarray | float, state: np.ndarray | float) -> np.ndarray:
        """Current [A], positive for a positive voltage [V]; of the arguments' broadcast shape."""
        scale = self.current_scale * np.exp(-self.gap(state) / self.gap_scale)
        return np.asarray(scale * bounded_sinh(np.asarray(voltage) / self.voltage_scale))

    def state_rate(
        self,
        voltage: np.ndarray | float,
        state: np.ndarray | float,
        temperature: np.ndarray | float,
    ) -> np.ndarray:
        """Time derivative of the state [1/s] at a draw of 1; temperature in [K]."""
        voltage, state = np.asarray(voltage, dtype=float), np.asarray(state, dtype=float)
        gap = self.gap(state) / ENHANCEMENT_LENGTH
        gamma = self.enhancement + self.enhancement_slope * gap**3
        charge = ELEMENTARY_CHARGE / BOLTZMANN
        lowered = gamma * self.atom_spacing / self.oxide_thickness * voltage * charge
        kelvin = np.maximum(temperature, self.ambient_temperature)
        growth = np.exp(-np.maximum(self.generation_temperature - lowered, 0.0) / kelvin)
        loss = np.exp(-np.maximum(self.recombination_temperature + lowered, 0.0) / kelvin)
        speed = growth * np.tanh((1 - state) / self.window) - loss * np.tanh(state / self.window)
        return np.asarray(speed * self.velocity / (self.filament_max - self.filament_min))

    def heating(
        self,
        voltage: np.ndarray | float,
        state: np.ndarray | float,
        temperature: np.ndarray | float,
    ) -> np.ndarray:
        """Time derivative of the temperature, [K/s]."""
        power = np.multiply(voltage, self.current(voltage, state))
        target = self.ambient_temperature + self.thermal_resistance * power
        return np.asarray((target - temperature) / self.thermal_time)
