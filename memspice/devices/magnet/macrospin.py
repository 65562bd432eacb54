r"""Macrospin MTJ: the stochastic Landau-Lifshitz-Gilbert-Slonczewski equation of a free layer.

    dm/dt = -g' [m x H + alpha m x (m x H) + m x (m x S) + m x F],     g' = gamma / (1 + alpha^2)

    H = H_applied + H_thermal - Ms N m + H_k m_z z      field, [A/m]
    S = a z + b y                                        damping-like torques
    F = field_like_ratio b y                             field-like torque

The junction current ``I`` makes ``a = hbar P I / (2 e mu0 Ms t A)`` (spin transfer, polarised
along the fixed layer, z, which is also the easy axis), the write-line current ``J`` density makes
``b = hbar theta_SH J / (2 e mu0 Ms t)`` (spin-orbit, polarised along y).  Positive currents drive m
towards +z and +y.  The efficiency does not depend on the angle, and the terms in alpha times S and
F that a full inversion of Gilbert's form gives are left out, as in the published models.

The thermal field is a path from outside (`memspice.devices.magnet.macrospin_noise`).

Arrays of vectors have the component first: (3,) or (3, devices).
"""

from __future__ import annotations

import math

import numpy as np

from memspice.devices.compact.stt import junction_conductance
from memspice.devices.constants import BOLTZMANN
from memspice.errors import ConfigError, ShapeError
from memspice.quantities import Parameters, quantity

#: CODATA 2018: mu0 [H/m], gamma mu0 of the electron [m/(A s)] and hbar / (2 e mu0) [A].
MU0, GYROMAGNETIC, TORQUE = 1.25663706212e-6, 2.212761e5, 2.618942e-10


class MacrospinMtj(Parameters):
    """Parameters of the models ``llg_mtj.va`` and ``llg_mtj.lib``, by the same names.

    The models have five more: the initial direction, and two rates that belong to their way of
    solving.
    """

    saturation_magnetisation: float = quantity("A/m", "Saturation magnetisation", gt=0)
    damping: float = quantity("1", "Gilbert damping", ge=0)
    area: float = quantity("m^2", "Area of the free layer and the junction", gt=0)
    thickness: float = quantity("m", "Thickness of the free layer", gt=0)
    anisotropy_field: float = quantity("A/m", "Uniaxial anisotropy along z, without the shape's")
    demag_x: float = quantity("1", "Demagnetising factor along x", ge=0, le=1)
    demag_y: float = quantity("1", "Demagnetising factor along y", ge=0, le=1)
    demag_z: float = quantity("1", "Demagnetising factor along z", ge=0, le=1)
    applied_x: float = quantity("A/m", "Applied field along x", default=0.0)
    applied_y: float = quantity("A/m", "Applied field along y", default=0.0)
    applied_z: float = quantity("A/m", "Applied field along z", default=0.0)
    polarisation: float = quantity("1", "Spin polarisation of the junction current", ge=0, le=1)
    spin_hall_angle: float = quantity("1", "Spin Hall angle of the write line")
    field_like_ratio: float = quantity("1", "Field-like over damping-like spin-orbit torque")
    write_line_section: float = quantity("m^2", "Cross-section of the write line", gt=0)
    write_line_resistance: float = quantity("ohm", "Resistance of the write line", gt=0)
    parallel_resistance: float = quantity("ohm", "Junction resistance, parallel", gt=0)
    tmr: float = quantity("1", "Tunnel magnetoresistance at zero voltage", ge=0)
    roll_off_voltage: float = quantity("V", "Voltage that halves the magnetoresistance", gt=0)

    @property
    def gyration(self) -> float:
        """``g' = gamma / (1 + alpha^2)``, [m/(A s)]."""
        return GYROMAGNETIC / (1 + self.damping**2)

    @property
    def effective_anisotropy(self) -> float:
        """Anisotropy field with the shape's, ``H_k - Ms (N_z - N_x)``, [A/m]."""
        return self.anisotropy_field - self.saturation_magnetisation * (self.demag_z - self.demag_x)

    @property
    def moment(self) -> float:
        """``mu0 Ms V``, energy per field, [J m/A]."""
        return MU0 * self.saturation_magnetisation * self.area * self.thickness

    def barrier(self, temperature: float) -> float:
        """Height ``D = mu0 Ms H_k V / (2 kB T)`` of the barrier at ``temperature`` [K]."""
        return self.moment * self.effective_anisotropy / (2 * BOLTZMANN * temperature)

    @property
    def transfer_field(self) -> float:
        """Torque field ``a`` of the junction current, [A/m per A]."""
        volume = self.area * self.thickness
        return TORQUE * self.polarisation / (self.saturation_magnetisation * volume)

    @property
    def orbit_field(self) -> float:
        """Torque field ``b`` of the write line's current, [A/m per A]."""
        load = self.saturation_magnetisation * self.thickness * self.write_line_section
        return TORQUE * self.spin_hall_angle / load

    @property
    def critical_current(self) -> float:
        """Junction current [A] at which the antiparallel state becomes unstable: ``a = alpha H_k``.

        ``4 e alpha D kB T / (hbar P)``, for a layer that is symmetric about z.
        """
        return self.damping * self.effective_anisotropy / self.transfer_field


def magnetic_field(
    device: MacrospinMtj, magnetisation: np.ndarray, thermal: np.ndarray | float = 0.0
) -> np.ndarray:
    """Field that acts on the magnetisation, without torques.

    Parameters
    ----------
    device : MacrospinMtj
    magnetisation : ndarray, shape (3, ...), [1]
        Unit vectors.
    thermal : array_like, same shape, [A/m]

    Returns
    -------
    ndarray, same shape, [A/m]
    """
    applied, slope = _linear_field(device, magnetisation.ndim)
    return np.asarray(applied + thermal + slope * magnetisation)


def magnetisation_rate(
    device: MacrospinMtj,
    magnetisation: np.ndarray,
    field: np.ndarray,
    junction_current: np.ndarray | float = 0.0,
    write_current: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Time derivative of the magnetisation: the equation of this module.

    Parameters
    ----------
    device : MacrospinMtj
    magnetisation, field : ndarray, shape (3, ...), [1], [A/m]
    junction_current, write_current : array_like, shape (...), [A]

    Returns
    -------
    ndarray, shape (3, ...), [1/s]
        Perpendicular to the magnetisation, whatever its length.
    """
    transfer = device.transfer_field * np.asarray(junction_current)
    orbit = device.orbit_field * np.asarray(write_current)
    turning, pulling = field.copy(), device.damping * field
    turning[1] += device.field_like_ratio * orbit
    pulling[1] += orbit
    pulling[2] += transfer
    (x, y, z), (ux, uy, uz) = magnetisation, turning
    along = (magnetisation * pulling).sum(axis=0)
    square = (magnetisation * magnetisation).sum(axis=0)
    rate = magnetisation * along - pulling * square
    rate[0] += y * uz - z * uy
    rate[1] += z * ux - x * uz
    rate[2] += x * uy - y * ux
    return np.asarray(-device.gyration * rate)


def evolve(
    device: MacrospinMtj,
    start: np.ndarray,
    thermal: np.ndarray,
    interval: float,
    *,
    current: np.ndarray | float = 0.0,
    voltage: np.ndarray | float = 0.0,
    write_current: np.ndarray | float = 0.0,
    substeps: int = 1,
    path: bool = False,
) -> np.ndarray:
    """Magnetisation under constant drive and a path of the thermal field, by Heun's rule.

    Parameters
    ----------
    device : MacrospinMtj
    start : ndarray, shape (3, devices), [1]
        Unit vectors at the beginning.
    thermal : ndarray, shape (intervals, 3, devices) or (intervals, 3, 1), [A/m]
        Constant within each interval; zeros for none.
    interval : float, [s]
    current, voltage : array_like, shape (devices,), [A], [V]
        Junction current from a current source, and junction voltage, which adds the current of
        the resistance at the present angle.  Give one of them.
    write_current : array_like, shape (devices,), [A]
    substeps : int
        Steps per interval: more of them solve the same path more exactly.
    path : bool
        Return every interval's end and not only the last.

    Returns
    -------
    ndarray, shape (3, devices), or (intervals + 1, 3, devices) with ``path``
        After each step the vectors are brought back to the unit sphere, which Heun's rule leaves
        by the third order of the step.

    Raises
    ------
    ShapeError
        If the arrays do not fit together.
    ConfigError
        If the interval is not above 0, there is no substep, or the magnetisation is not finite at
        the end.
    """
    _check_path(start, thermal, interval, substeps)
    _check_drives(start.shape[1], current=current, voltage=voltage, write_current=write_current)
    step, now = interval / substeps, np.array(start, dtype=float)
    kept = [now] if path else []
    (applied, slope_of_field), driven = _linear_field(device, 2), bool(np.any(voltage))

    def rate(magnetisation: np.ndarray, outside: np.ndarray) -> np.ndarray:
        through = current
        if driven:
            through = current + voltage * conductance(device, voltage, magnetisation[2])
        field = outside + slope_of_field * magnetisation
        return magnetisation_rate(device, magnetisation, field, through, write_current)

    for field in applied + thermal:
        for _ in range(substeps):
            slope = rate(now, field)
            now = now + 0.5 * step * (slope + rate(now + step * slope, field))
            now /= np.sqrt((now * now).sum(axis=0))
        if path:
            kept.append(now)
    if not np.isfinite(now).all():
        raise ConfigError(
            f"no finite magnetisation with steps of {step} s: take shorter ones, or look for a "
            "start, field or drive that is not finite"
        )
    return np.stack(kept) if path else now


def conductance(
    device: MacrospinMtj, voltage: np.ndarray | float, cosine: np.ndarray | float
) -> np.ndarray:
    """Junction conductance [S] at ``voltage`` [V] and ``cosine`` = m_z, by R(theta)."""
    return junction_conductance(
        voltage,
        0.5 * (1 + np.asarray(cosine)),
        parallel_resistance=device.parallel_resistance,
        tmr=device.tmr,
        roll_off_voltage=device.roll_off_voltage,
    )


def _linear_field(device: MacrospinMtj, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Applied field, and the slope of the field in the magnetisation; (3, 1, ...), [A/m]."""
    demag = np.array([device.demag_x, device.demag_y, device.demag_z])
    slope = np.array([0, 0, device.anisotropy_field]) - device.saturation_magnetisation * demag
    applied = np.array([device.applied_x, device.applied_y, device.applied_z])
    shape = (3,) + (1,) * (dimensions - 1)
    return applied.reshape(shape), slope.reshape(shape)


def _check_path(start: np.ndarray, thermal: np.ndarray, interval: float, substeps: int) -> None:
    if start.ndim != 2 or start.shape[0] != 3 or thermal.ndim != 3 or thermal.shape[1] != 3:
        raise ShapeError(
            f"start of shape {start.shape} and thermal of shape {thermal.shape} must be "
            "(3, devices) and (intervals, 3, devices)"
        )
    if thermal.shape[2] not in (1, start.shape[1]):
        raise ShapeError(
            f"the thermal field has {thermal.shape[2]} columns for {start.shape[1]} devices: "
            "give one each, or one for all"
        )
    if not (math.isfinite(interval) and interval > 0):
        raise ConfigError(f"interval = {interval} s must be finite and above 0")
    if substeps < 1:
        raise ConfigError(f"substeps = {substeps} must be at least 1")


def _check_drives(devices: int, **drives: np.ndarray | float) -> None:
    for name, drive in drives.items():
        if np.shape(drive) not in ((), (1,), (devices,)):
            raise ShapeError(
                f"{name} of shape {np.shape(drive)} does not fit {devices} devices: "
                "give one value each, or one for all"
            )
