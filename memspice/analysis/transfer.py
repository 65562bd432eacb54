"""Transfer curve of a neuron circuit: the closed form, and what simulated events say of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from memspice.analysis.points import SwitchingCounts
from memspice.analysis.statistics import Proportion, proportion
from memspice.errors import ConfigError
from memspice.parameters import ParameterSet

#: Probabilities that the sweep of voltages begins and ends with.
SWEEP = (0.01, 0.99)
#: Hazard integrals of which a ratio to SPICE's says something, [1].
RESOLVED = (1e-4, 1e2)


@dataclass(frozen=True)
class TransferPoint:
    """One drive voltage.

    Parameters
    ----------
    voltage : float, [V]
        Drive of the neuron.
    rail : bool
        Whether it is an end of the difference stage's swing, and not of the sweep between them.
    expected : float, [1]
        Switching probability of the closed form.
    spikes : Proportion
        Share of the events that ended with a spike in SPICE.
    count : int
        Number of those.
    hazard : float, [1]
        Hazard integral of one write pulse, closed form.
    hazard_spice : float, [1]
        Mean over the events of the one that SPICE integrated.
    deviation_low, deviation_high : float, [1]
        Least and largest ``hazard_spice / hazard - 1`` of an event.
    mismatches : int
        Events whose spike is not what ``hazard >= E`` says.
    worst_margin : float, [1]
        Largest ``|hazard / E - 1|`` of those; 0 if there is none.
    energy_joule : dict
        Mean per event out of the neuron's supplies in the phases ``write``, ``read``, ``reset``.
    pulse : float, [s]
        Flat part of the write pulse.
    measured : Proportion or None
        Share of the pulses that switched a measured device there.
    """

    voltage: float
    rail: bool
    expected: float
    spikes: Proportion
    count: int
    hazard: float
    hazard_spice: float
    deviation_low: float
    deviation_high: float
    mismatches: int
    worst_margin: float
    energy_joule: dict[str, float]
    pulse: float
    measured: Proportion | None = None

    @property
    def resolved(self) -> bool:
        """Whether the ratio of the hazard integrals says something.

        Below, the solver's tolerance of charge decides it; above, the models bound their rate,
        where a switch is certain.
        """
        return RESOLVED[0] <= self.hazard <= RESOLVED[1]

    @property
    def probability_change(self) -> float:
        """What the hazard integral of SPICE adds to the probability of a switch, [1]."""
        return math.exp(-self.hazard) - math.exp(-self.hazard_spice)


@dataclass(frozen=True, eq=False)
class Station:
    """Station of a characterisation: a write pulse and a drive at which neurons stand.

    Parameters
    ----------
    parameter_set : ParameterSet
        With the write pulse of this place.
    voltage : float, [V]
        Drive.
    rail : bool
        Whether it is an end of the difference stage's swing.
    measured : Proportion or None
        Share of the pulses that switched a measured device there.
    """

    parameter_set: ParameterSet
    voltage: float
    rail: bool = False
    measured: Proportion | None = None


def measured_stations(
    parameter_set: ParameterSet, points: SwitchingCounts
) -> tuple[list[Station], list[str]]:
    """Stations at measured points, by pulse and voltage, and what is said of those left out.

    A point's voltage is that over the device; its pulse is the flat part of a write pulse, see
    `with_pulse`.

    Raises
    ------
    ConfigError
        If no point lies between the rails.
    """
    low, high = parameter_set.neuron.write_limits
    drives = points.voltage / write_fraction(parameter_set)
    order = np.lexsort((drives, points.time))
    inside = [k for k in order.tolist() if low <= drives[k] <= high]
    out = len(order) - len(inside)
    words = (
        f"drives of {drives.min():.4g} to {drives.max():.4g} V, write_low = {low:g} V, write_high "
        f"= {high:g} V"
    )
    if not inside:
        raise ConfigError(
            f"{parameter_set.name}: no measured point lies between its rails ({words}): widen "
            "them, or choose a set of this device"
        )
    notes = [f"{out} of {len(order)} measured points lie beyond the rails: {words}"] if out else []
    stations = [
        Station(
            with_pulse(parameter_set, float(points.time[k])),
            float(drives[k]),
            measured=proportion(int(points.switched[k]), int(points.trials[k])),
        )
        for k in inside
    ]
    return stations, notes


def with_pulse(parameter_set: ParameterSet, pulse: float) -> ParameterSet:
    """Set with another write pulse; edges of a shorter one are shorter in proportion.

    Longer edges would be those of the reset, too, and cut into it.
    """
    timing = parameter_set.timing
    if pulse == timing.write:
        return parameter_set
    changed = {"write": pulse, "edge": timing.edge * min(1.0, pulse / timing.write)}
    return replace(parameter_set, timing=timing.model_copy(update=changed))


def swept_stations(parameter_set: ParameterSet, points: int) -> tuple[list[Station], list[str]]:
    """Stations over the sweep from P = 1 % to 99 % and at the rails, and what is said of its ends.

    A sweep that goes beyond the rails has its ``points`` between, evenly.

    Raises
    ------
    ConfigError
        If no part of it lies between the rails.
    """
    (first, last), (low, high) = _sweep(parameter_set), parameter_set.neuron.write_limits
    begin, end = max(first, low), min(last, high)
    if not begin < end:
        raise _beyond(parameter_set)
    notes, inside = [], np.linspace(first, last, points)
    if first <= low or high <= last:
        reached = switching_probability(parameter_set, np.array([begin, end]))
        notes = [
            f"rails of {low:g} to {high:g} V let P go from {reached[0]:.2g} to {reached[1]:.2g}"
        ]
        inside = np.linspace(begin, end, points + 2)[1:-1]
    rails = [Station(parameter_set, voltage, rail=True) for voltage in (low, high)]
    between = [Station(parameter_set, float(voltage)) for voltage in inside]
    return [rails[0], *between, rails[1]], notes


def drive_voltages(parameter_set: ParameterSet, points: int) -> np.ndarray:
    """Voltages [V] from the lower rail over an even sweep of ``points`` to the upper, rising.

    Raises
    ------
    ConfigError
        If the sweep from P = 1 % to 99 % does not lie between the rails.
    """
    (first, last), (low, high) = _sweep(parameter_set), parameter_set.neuron.write_limits
    if not low < first < last < high:
        raise _beyond(parameter_set)
    return np.array([low, *np.linspace(first, last, points), high])


def _sweep(parameter_set: ParameterSet) -> tuple[float, float]:
    """Drives [V] of P = 1 % and 99 %."""
    law, timing = parameter_set.neuron.device.hazard, parameter_set.timing
    fraction = write_fraction(parameter_set)
    unit = law.unit_voltage(timing.write, timing.edge)
    first, last = (
        law.shifted(unit, math.log(-math.log1p(-probability))) / fraction for probability in SWEEP
    )
    return first, last


def _beyond(parameter_set: ParameterSet) -> ConfigError:
    (first, last), (low, high) = _sweep(parameter_set), parameter_set.neuron.write_limits
    return ConfigError(
        f"{parameter_set.name}: P = 1 % to 99 % needs a drive of {first:.4g} to {last:.4g} V, "
        f"but its rails are write_low = {low:g} V and write_high = {high:g} V: widen them"
    )


def write_fraction(parameter_set: ParameterSet) -> float:
    """Share of the drive voltage that biases the unswitched device, [1]."""
    return parameter_set.neuron.write_fraction


def hazard_integral(parameter_set: ParameterSet, voltage: np.ndarray | float) -> np.ndarray:
    """Closed-form hazard integral [1] of one write pulse at a drive [V] of any shape."""
    law, timing = parameter_set.neuron.device.hazard, parameter_set.timing
    biased = np.asarray(voltage, dtype=float) * write_fraction(parameter_set)
    return np.asarray(np.exp(law.log_hazard_integral(biased, timing.write, timing.edge)))


def switching_probability(parameter_set: ParameterSet, voltage: np.ndarray | float) -> np.ndarray:
    """Closed-form probability [1] that a write pulse at a drive [V] of any shape switches."""
    return np.asarray(-np.expm1(-hazard_integral(parameter_set, voltage)))


def read_disturb(parameter_set: ParameterSet) -> float:
    """Probability that one read pulse sets an unswitched device, [1]; see `Neuron`."""
    return parameter_set.neuron.read_disturb(parameter_set.timing)


def transfer_point(
    station: Station,
    thresholds: np.ndarray,
    spike: np.ndarray,
    hazard_spice: np.ndarray,
    energy: np.ndarray,
) -> TransferPoint:
    """Summary of the events at one drive voltage.

    Parameters
    ----------
    station : Station
        Where they were simulated.
    thresholds : ndarray, shape (events,), [1]
        Draws ``E``.
    spike : ndarray of bool, shape (events,)
        Whether the event ended with a spike.
    hazard_spice : ndarray, shape (events,), [1]
        Simulated hazard integral.
    energy : ndarray, shape (3,), [J]
        Of all events together in the write, read and reset phase.
    """
    parameter_set, voltage = station.parameter_set, station.voltage
    hazard = float(hazard_integral(parameter_set, voltage))
    deviation = hazard_spice / hazard - 1
    mismatch = spike != (hazard >= thresholds)
    count = int(np.count_nonzero(spike))
    each = (energy / spike.size).tolist()
    return TransferPoint(
        voltage=voltage,
        rail=station.rail,
        expected=float(switching_probability(parameter_set, voltage)),
        spikes=proportion(count, spike.size),
        count=count,
        hazard=hazard,
        hazard_spice=float(np.mean(hazard_spice)),
        deviation_low=float(np.min(deviation)),
        deviation_high=float(np.max(deviation)),
        mismatches=int(np.count_nonzero(mismatch)),
        worst_margin=float(np.max(np.abs(hazard / thresholds[mismatch] - 1), initial=0.0)),
        energy_joule=dict(zip(("write", "read", "reset"), each, strict=True)),
        pulse=parameter_set.timing.write,
        measured=station.measured,
    )
