"""The stochastic neuron devices: their resistances and what biases the switching state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from memspice.devices.hazard import HazardLaw
from memspice.devices.measured_hazard import MeasuredHazard
from memspice.quantities import Parameters, quantity


class NeuronSpread(Parameters):
    """Spread of neuron devices, one from another: see :mod:`memspice.devices.variation`."""

    voltage_scale_spread: float = quantity("1", "Sigma of ln(V0), per device", ge=0, default=0.0)
    time_scale_spread: float = quantity("1", "Sigma of ln(tau0), per device", ge=0, default=0.0)
    threshold_spread: float = quantity(
        "V",
        "Sigma of the drive at which a device switches, with its sense stage",
        ge=0,
        default=0.0,
    )
    gain_spread: float = quantity(
        "1", "Sigma of the gain of a neuron's sense stage, of 1", ge=0, default=0.0
    )


class MemristorNeuron(NeuronSpread):
    """Filament memristor in series with a resistor, written and read through one terminal.

    Filament growth is not resolved: the device is off until its hazard integral the
    threshold, then on until a negative pulse dissolves the filament.
    """

    kind: Literal["memristor"] = "memristor"
    hazard: HazardLaw
    on_resistance: float = quantity("ohm", "Resistance with filament", gt=0)
    off_resistance: float = quantity("ohm", "Resistance without filament", gt=0)
    series_resistance: float = quantity("ohm", "Series resistor, also the read divider", gt=0)
    reset_threshold: float = quantity("V", "Reverse voltage at which dissolution sets in", gt=0)

    def write_fraction(self, driver_resistance: float) -> float:
        """Share of the drive voltage that the unswitched device sees, [1]."""
        total = self.off_resistance + self.series_resistance + driver_resistance
        return self.off_resistance / total


class MtjNeuron(NeuronSpread):
    """Spin-orbit-torque MTJ: written through its heavy metal, read through the junction.

    The junction rests antiparallel and switches to parallel.  TMR roll-off with read voltage is
    neglected, which holds for reads well below 0.5 V.
    """

    kind: Literal["mtj"] = "mtj"
    hazard: HazardLaw
    heavy_metal_resistance: float = quantity("ohm", "Resistance of the write line", gt=0)
    parallel_resistance: float = quantity("ohm", "Junction resistance when switched", gt=0)
    antiparallel_resistance: float = quantity("ohm", "Junction resistance at rest", gt=0)
    reference_resistance: float = quantity("ohm", "Reference junction of the divider", gt=0)
    reset_threshold: float = quantity("V", "Reverse voltage at which reset sets in", gt=0)

    def write_fraction(self, driver_resistance: float) -> float:
        """Share of the drive voltage that falls over the heavy metal, [1]."""
        return self.heavy_metal_resistance / (self.heavy_metal_resistance + driver_resistance)


@dataclass(frozen=True, eq=False)
class MeasuredNeuron:
    """Device inside of a circuit of the user's own: what is known of it was measured in SPICE.

    Parameters
    ----------
    hazard : MeasuredHazard
        Of the write voltage of the circuit, all of which counts.
    """

    hazard: MeasuredHazard

    #: Devices are alike.
    voltage_scale_spread = time_scale_spread = threshold_spread = gain_spread = 0.0


NeuronDevice = MemristorNeuron | MtjNeuron | MeasuredNeuron
