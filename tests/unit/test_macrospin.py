"""Macrospin: the equation against closed forms and against a second writing of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import constants

from memspice.devices.magnet.macrospin import (
    GYROMAGNETIC,
    MU0,
    TORQUE,
    MacrospinMtj,
    conductance,
    evolve,
    magnetic_field,
    magnetisation_rate,
)
from memspice.errors import ConfigError, ShapeError
from memspice.parameters import load_table

DEVICE = load_table("llg-mtj", "llg_mtj", MacrospinMtj).values
ROOM = 300.0


def energy(device: MacrospinMtj, magnetisation: np.ndarray) -> np.ndarray:
    """Energy [J] of unit vectors (3, ...) in anisotropy, demagnetising and applied field."""
    applied = magnetic_field(device, np.zeros_like(magnetisation))
    # A field linear in m does half of its work.
    own = magnetic_field(device, magnetisation) - applied
    return np.asarray(-device.moment * ((applied + 0.5 * own) * magnetisation).sum(axis=0))


def other(**values: float) -> MacrospinMtj:
    return DEVICE.model_copy(update=values)


def tilted(angle: float, around: float = 0.0, up: float = -1.0) -> np.ndarray:
    """Unit vector (3, 1) at an angle from the pole."""
    sine = math.sin(angle)
    return np.array([[sine * math.cos(around)], [sine * math.sin(around)], [up * math.cos(angle)]])


def quiet(intervals: int) -> np.ndarray:
    return np.zeros((intervals, 3, 1))


# --- constants and derived values -----------------------------------------------------------------


def test_constants_are_codatas() -> None:
    assert pytest.approx(constants.mu_0, rel=1e-9) == MU0
    ratio = constants.physical_constants["electron gyromag. ratio"][0]
    assert pytest.approx(ratio * constants.mu_0, rel=1e-6) == GYROMAGNETIC
    expected = constants.hbar / (2 * constants.e * constants.mu_0)
    assert pytest.approx(expected, rel=1e-6) == TORQUE


def test_critical_current_is_that_of_theory() -> None:
    # Ic0 = (4 e alpha / (hbar eta)) D kT for a perpendicular layer.
    heat = DEVICE.barrier(ROOM) * constants.k * ROOM
    theory = 4 * constants.e * DEVICE.damping * heat / (constants.hbar * DEVICE.polarisation)
    assert DEVICE.critical_current == pytest.approx(theory, rel=1e-5)
    assert DEVICE.barrier(ROOM) == pytest.approx(20, abs=0.5)
    assert DEVICE.barrier(2 * ROOM) == pytest.approx(DEVICE.barrier(ROOM) / 2)


def test_junction_resistance_at_both_ends() -> None:
    assert conductance(DEVICE, 0.0, 1.0) == pytest.approx(1 / DEVICE.parallel_resistance)
    antiparallel = DEVICE.parallel_resistance * (1 + DEVICE.tmr / 2)  # at the roll-off voltage
    assert conductance(DEVICE, DEVICE.roll_off_voltage, -1.0) == pytest.approx(1 / antiparallel)


# --- the equation ---------------------------------------------------------------------------------


def test_rate_is_the_published_equation(rng: np.random.Generator) -> None:
    device = other(applied_x=3e4, applied_y=-1e4, applied_z=2e4, demag_x=0.01, demag_y=0.04)
    m = rng.normal(size=(3, 20))
    m /= np.linalg.norm(m, axis=0)
    junction, line = 3e-5, 1e-4
    h = magnetic_field(device, m, rng.normal(size=(3, 20)) * 1e4)
    a = constants.hbar * device.polarisation * junction / device.area
    a /= 2 * constants.e * MU0 * device.saturation_magnetisation * device.thickness
    b = constants.hbar * device.spin_hall_angle * line / device.write_line_section
    b /= 2 * constants.e * MU0 * device.saturation_magnetisation * device.thickness

    def cross(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.cross(left, right, axis=0)

    z, y = np.array([[0.0], [0.0], [1.0]]), np.array([[0.0], [1.0], [0.0]])
    expected = cross(m, h) + device.damping * cross(m, cross(m, h))
    expected = expected + a * cross(m, cross(m, z * np.ones(20)))
    expected = expected + b * cross(m, cross(m, y * np.ones(20)))
    expected = expected + device.field_like_ratio * b * cross(m, y * np.ones(20))
    expected *= -GYROMAGNETIC / (1 + device.damping**2)
    found = magnetisation_rate(device, m, h, junction, line)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_rate_is_perpendicular_to_a_magnetisation_of_any_length(rng: np.random.Generator) -> None:
    m = rng.normal(size=(3, 50))
    rate = magnetisation_rate(DEVICE, m, magnetic_field(DEVICE, m, 1e4), 5e-5, 1e-4)
    along = (m * rate).sum(axis=0) / np.linalg.norm(m, axis=0) / np.linalg.norm(rate, axis=0)
    assert np.abs(along).max() < 1e-12


def test_field_is_the_slope_of_the_energy(rng: np.random.Generator) -> None:
    device, step = other(applied_x=3e4, applied_z=2e4, demag_x=0.1, demag_y=0.2), 1e-4
    m = rng.normal(size=(3, 5))
    for axis in range(3):
        move = np.zeros((3, 1))
        move[axis] = step
        slope = (energy(device, m + move) - energy(device, m - move)) / (2 * step)
        field = magnetic_field(device, m)[axis]
        np.testing.assert_allclose(-slope / device.moment, field, rtol=1e-7)


def test_barrier_is_the_energy_between_pole_and_equator() -> None:
    height = energy(DEVICE, tilted(math.pi / 2)) - energy(DEVICE, tilted(0.0))
    assert float(height[0]) / (constants.k * ROOM) == pytest.approx(DEVICE.barrier(ROOM))


def test_turning_everything_about_the_axis_turns_the_path() -> None:
    path = [
        evolve(DEVICE, tilted(0.4, around), quiet(200), 1e-12, current=5e-5)
        for around in (0.0, 1.0)
    ]
    turn = np.array([[math.cos(1), -math.sin(1), 0], [math.sin(1), math.cos(1), 0], [0, 0, 1]])
    np.testing.assert_allclose(turn @ path[0], path[1], atol=1e-12)


# --- without noise --------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [0.1, 0.8])
def test_precession_has_the_frequency_of_the_field(angle: float) -> None:
    free, step, steps = other(damping=0.0), 0.1e-12, 3000
    end = evolve(free, tilted(angle), quiet(steps), step)
    rate = GYROMAGNETIC * free.effective_anisotropy * math.cos(angle)
    assert rate / (2 * math.pi) == pytest.approx(5.4e9, rel=0.35)
    # m below the equator precesses clockwise about z: its field points down.
    turned = math.remainder(math.atan2(end[1, 0], end[0, 0]) + rate * step * steps, 2 * math.pi)
    # Heun's phase error, (w dt)^2 / 6 relative, of 10 rad.
    assert abs(turned) < 1e-4


@pytest.mark.parametrize("angle", [0.1, 1.4])
def test_damping_follows_the_closed_form(angle: float) -> None:
    # tan(theta) falls as exp(-alpha g' Hk t) at any angle.
    step, steps = 0.5e-12, 1000
    path = evolve(DEVICE, tilted(angle), quiet(steps), step, path=True)
    tangent = np.hypot(path[:, 0, 0], path[:, 1, 0]) / -path[:, 2, 0]
    rate = DEVICE.damping * DEVICE.gyration * DEVICE.effective_anisotropy
    expected = math.tan(angle) * np.exp(-rate * step * np.arange(steps + 1))
    np.testing.assert_allclose(tangent, expected, rtol=2e-4)
    assert expected[-1] < 0.5 * expected[0]


@pytest.mark.parametrize("share", [0.5, 1.0, 2.0])
def test_critical_current_separates_decay_from_growth(share: float) -> None:
    # A small angle grows as exp(g' (a - alpha Hk) t): not at all at the critical current.
    step, steps, angle = 0.5e-12, 1000, 1e-3
    end = evolve(DEVICE, tilted(angle), quiet(steps), step, current=share * DEVICE.critical_current)
    growth = math.log(math.hypot(end[0, 0], end[1, 0]) / angle)
    rate = DEVICE.gyration * DEVICE.damping * DEVICE.effective_anisotropy * (share - 1)
    assert growth == pytest.approx(rate * step * steps, abs=2e-4)


@pytest.mark.parametrize("bias", [0.0, 0.1])
def test_spin_orbit_torque_switches_at_its_known_field(bias: float) -> None:
    # b = Hk/2 - Hx/sqrt(2) for a perpendicular layer: first order in Hx, zeroth in the damping,
    # for a drive that rises slowly enough not to ring; 8 % on either side leave room for these.
    hk = DEVICE.effective_anisotropy
    device = other(field_like_ratio=0.0, applied_x=bias * hk)
    critical = (0.5 - bias / math.sqrt(2)) * hk / device.orbit_field
    state = tilted(bias)  # in the well that this sign of field and current makes unstable
    for share in np.linspace(0.0, 0.92, 20):
        state = evolve(device, state, quiet(300), 2e-12, write_current=share * critical)
    assert state[2, 0] < -0.5  # still there
    state = evolve(device, state, quiet(2000), 2e-12, write_current=1.08 * critical)
    assert state[2, 0] > -0.1


def test_length_is_kept_and_energy_falls() -> None:
    path = evolve(DEVICE, tilted(1.2), quiet(2000), 1e-12, path=True)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 1, atol=1e-14)
    fallen = [float(energy(DEVICE, m)[0]) for m in path]
    assert (np.diff(fallen) < 0).all()


def test_energy_is_kept_without_damping() -> None:
    device = other(damping=0.0, applied_x=3e4)
    path = evolve(device, tilted(1.2), quiet(2000), 0.5e-12, path=True)
    levels = np.array([float(energy(device, m)[0]) for m in path])
    # Heun's drift, third order in the step, against the barrier.
    assert np.ptp(levels) < 2e-3 * DEVICE.barrier(ROOM) * constants.k * ROOM


def test_heuns_rule_is_of_second_order() -> None:
    field = 2e4 * np.random.default_rng(3).normal(size=(60, 3, 1))

    def end(substeps: int) -> np.ndarray:
        return evolve(
            DEVICE, tilted(0.5), field, 8e-12, substeps=substeps, voltage=0.3, write_current=5e-5
        )

    exact = end(64)
    errors = [np.abs(end(n) - exact).max() for n in (2, 4, 8)]
    assert 3 < errors[0] / errors[1] < 5.5
    assert 3 < errors[1] / errors[2] < 5.5


def test_voltage_drives_the_current_of_the_present_angle() -> None:
    m = tilted(0.6)
    field = quiet(1)
    through = float(0.3 * conductance(DEVICE, 0.3, m[2])[0])
    by_voltage = evolve(DEVICE, m, field, 1e-15, voltage=0.3)
    np.testing.assert_allclose(by_voltage, evolve(DEVICE, m, field, 1e-15, current=through))


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "field", "message"),
    [
        (np.zeros(3), quiet(4), "must be"),
        (np.zeros((2, 3)), quiet(4), "must be"),
        (np.zeros((3, 2)), np.zeros((4, 2, 2)), "must be"),
        (np.zeros((3, 2)), np.zeros((4, 3, 5)), "5 columns for 2 devices"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    start: np.ndarray, field: np.ndarray, message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        evolve(DEVICE, start, field, 1e-12)


@pytest.mark.parametrize("name", ["current", "voltage", "write_current"])
def test_drives_that_do_not_fit_are_refused(name: str) -> None:
    start = np.repeat(tilted(0.1), 2, axis=1)
    with pytest.raises(ShapeError, match=rf"{name} of shape \(3,\) does not fit 2 devices"):
        evolve(DEVICE, start, quiet(1), 1e-12, **{name: np.full(3, 1e-6)})


def test_bad_steps_are_refused() -> None:
    for interval in (0.0, -1e-12, math.nan):
        with pytest.raises(ConfigError, match=r"interval = .* must be finite and above 0"):
            evolve(DEVICE, tilted(0.1), quiet(1), interval)
    with pytest.raises(ConfigError, match="substeps = 0 must be at least 1"):
        evolve(DEVICE, tilted(0.1), quiet(1), 1e-12, substeps=0)


def test_magnetisation_that_is_lost_is_reported() -> None:
    with np.errstate(all="ignore"), pytest.raises(ConfigError, match="no finite magnetisation"):
        evolve(DEVICE, np.full((3, 1), np.nan), quiet(1), 1e-12)
