"""Neurons that differ: each stochastic device of a layer with constants of its own.

What differs, and what stays the same, follows the physics of the device:

- A filament grows by hops over a barrier ``Ea`` that the voltage lowers,
  ``tau = exp((Ea - q V / n) / kT) / nu``: so ``tau0 = exp(Ea / kT) / nu`` is the barrier, and
  ``V0 = n kT / q`` the number of hops that share the voltage.  These are two properties of a
  device, drawn independently; a device with another ``V0`` keeps its rate at zero volts.  Its unit
  voltage ``V0 ln(tau0 / t)`` moves in proportion: a spread of ``V0`` counts ``ln(tau0 / t)`` times.
- An MTJ has ``tau = t_a exp(D (1 - V / Vc0))``, so ``V0 = Vc0 / D`` and ``tau0 = t_a exp(D)`` are
  not independent.  Here the spread of ``V0`` is that of the barrier ``D`` (volume and anisotropy of
  the pillar) at the same critical voltage: all devices have the rate ``1 / t_a`` at ``Vc0``.  The
  spread of ``tau0`` that remains is that of ``t_a``; a critical voltage that differs counts as a
  shift of the threshold, exact at ``Vc0``.  That barrier and critical voltage may vary together is
  left out.

Both are one rule: a device whose ``V0`` differs keeps its rate at ``pivot_voltage`` of the hazard
law, 0 for a filament and ``Vc0`` for an MTJ.  The threshold is shifted in volts of the neuron's
drive: the offset of the sense stage and that of the device together.  The gain is that of the sense
stage: a factor of what it makes of the currents, bias and offset left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memspice.devices.neurons import NeuronDevice
from memspice.devices.rate_forms import EXPONENTIAL, RateForm


@dataclass(frozen=True, eq=False)
class NeuronVariation:
    """Constants of neurons that differ, each an array of shape (neurons,).

    Parameters
    ----------
    voltage_scale : ndarray, [V]
        ``V0`` of the hazard law.
    time_scale : ndarray, [s]
        ``tau0`` of the hazard law.
    threshold_shift : ndarray, [V]
        Added to the drive that a neuron needs: a positive one makes it spike less.
    sense_gain : ndarray, [1]
        Factor of what a neuron's sense stage makes of its bit lines' currents.
    rate : RateForm
        Form of the hazard law, the same for all.
    """

    voltage_scale: np.ndarray
    time_scale: np.ndarray
    threshold_shift: np.ndarray
    sense_gain: np.ndarray
    rate: RateForm = EXPONENTIAL

    def take(self, neurons: slice | np.ndarray) -> NeuronVariation:
        """Constants of some neurons, which may be named more than once."""
        return NeuronVariation(
            self.voltage_scale[neurons],
            self.time_scale[neurons],
            self.threshold_shift[neurons],
            self.sense_gain[neurons],
            self.rate,
        )

    def log_hazard_integral(
        self, voltage: np.ndarray, flat: float, edge: float = 0.0
    ) -> np.ndarray:
        """Logarithm of each neuron's hazard integral over one trapezoidal pulse.

        As :meth:`memspice.devices.hazard.HazardLaw.log_hazard_integral`, of voltages (..., neurons)
        [V] over the devices; the shift of the threshold is in the drive.
        """
        scaled = np.asarray(voltage / self.voltage_scale)
        offset = np.log(flat / self.time_scale)
        return self.rate.log_pulse_integral(scaled, offset, 2 * edge / flat)


def equal_neurons(device: NeuronDevice, neurons: int) -> NeuronVariation:
    """Constants of neurons that do not differ."""
    law, ones = device.hazard, np.ones(neurons)
    scales = law.voltage_scale * ones, law.time_scale * ones
    return NeuronVariation(*scales, 0 * ones, ones, law.rate)


def draw_variation(
    device: NeuronDevice, neurons: int, rng: np.random.Generator
) -> NeuronVariation | None:
    """Draw the devices of some neurons.

    Parameters
    ----------
    device : NeuronDevice
        Its constants are the medians; ``voltage_scale_spread``, ``time_scale_spread`` (both of
        logarithms), ``threshold_spread`` and ``gain_spread`` the sigmas of four independent normal
        draws.
    neurons : int
        How many.
    rng : numpy.random.Generator
        Source of the draws.  A spread scales its own draw: it moves no other.

    Returns
    -------
    NeuronVariation or None
        None where no spread is above zero.
    """
    spreads = (
        device.voltage_scale_spread,
        device.time_scale_spread,
        device.threshold_spread,
        device.gain_spread,
    )
    if not any(spreads):
        return None
    law = device.hazard
    draws = rng.standard_normal((len(spreads), neurons))
    scale, time, shift, gain = np.array(spreads)[:, None] * draws
    voltage_scale = law.voltage_scale * np.exp(scale)
    turned = law.pivot_voltage * (1 / voltage_scale - 1 / law.voltage_scale)
    time_scale = np.exp(math.log(law.time_scale) + turned + time)
    return NeuronVariation(voltage_scale, time_scale, shift, 1 + gain, law.rate)


def join_variations(parts: Sequence[NeuronVariation | None]) -> NeuronVariation | None:
    """Neurons of successive groups as one; None where they do not differ."""
    found = [part for part in parts if part is not None]
    if not found:
        return None
    return NeuronVariation(
        np.concatenate([part.voltage_scale for part in found]),
        np.concatenate([part.time_scale for part in found]),
        np.concatenate([part.threshold_shift for part in found]),
        np.concatenate([part.sense_gain for part in found]),
        found[0].rate,
    )
