"""Energies from powers: integrals on the solver's own time points, phase by phase."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from memspice.circuits.energy_model import COMPONENTS
from memspice.circuits.power import LayerPower
from memspice.circuits.signals import energy_between
from memspice.circuits.timing import Schedule


@dataclass(frozen=True, eq=False)
class EnergyBalance:
    """Balance of the energy of a simulated layer: delivered, dissipated, stored.

    ``components`` holds (cycles,) per component in [J]; ``delivered``, ``dissipated`` and
    ``stored`` (the change over the run) are totals in [J].
    """

    components: dict[str, np.ndarray]
    delivered: float
    dissipated: float
    stored: float

    @property
    def closure(self) -> float:
        """``|delivered - dissipated - stored| / delivered``, [1]; infinite of nothing delivered."""
        if self.delivered == 0:
            return math.inf
        return abs(self.delivered - self.dissipated - self.stored) / abs(self.delivered)


def energy_balance(power: LayerPower, schedule: Schedule, cycles: int) -> EnergyBalance:
    """Integrate the powers of a layer over the phases of every cycle.

    Neurons dissipate in all three phases, told apart by time; what drivers, array, sense stages
    and latches dissipate is counted whole.

    Parameters
    ----------
    power : LayerPower
        Over time.
    schedule : Schedule
        Phase limits of a cycle.
    cycles : int
        Number of cycles in the run.
    """
    starts = np.arange(cycles + 1) * schedule.cycle
    whole = {
        name: energy_between(power.time, total, starts)
        for name, total in (
            ("driver", power.driver),
            ("crossbar", power.crossbar),
            ("sense", power.sense.sum(axis=0)),
            ("logic", power.logic.sum(axis=0)),
        )
    }
    neuron = power.neuron.sum(axis=0)
    limits = starts[:-1, None] + np.array([0.0, *schedule.phase_ends])
    phases = energy_between(power.time, neuron, limits).T
    each = whole | dict(zip(("neuron_write", "neuron_read", "neuron_reset"), phases, strict=True))
    components = {name: each[name] for name in COMPONENTS}
    return EnergyBalance(
        components=components,
        delivered=float(np.trapezoid(power.delivered, power.time)),
        dissipated=float(sum(part.sum() for part in components.values())),
        stored=float(power.stored[-1] - power.stored[0]),
    )
