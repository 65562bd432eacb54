r"""Sense stage of a leaky average: each row pulse shares its charge with what earlier ones left.

::

              sample         transfer
    lines ---difference---(sum)--/ --(held)-- bias, limits --> drive
                            |clear
    rows      _/\_/\_/\_/\______
    first     _/\_______________   charges both capacitors
    transfer  __/\_/\_/\_/\_____   then clear
    hold      ____/\_/\_/\_/\___   and write, read, reset of neurons

The sampling capacitor is ``sense.charge_share`` of both together: in cycle t the drive is
``held(t) = share * pulse(t) + (1 - share) * held(t - 1)``, and in the first one ``pulse(1)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from memspice.circuits.blocks.amplifiers import AmplifierStage
from memspice.circuits.blocks.integrating import CLEAR, SAMPLE, TRANSFER, Integrating
from memspice.circuits.blocks.sense_circuit import SenseCircuit
from memspice.circuits.bursts import check_leaky
from memspice.circuits.clocks import Clock
from memspice.circuits.timing import Schedule

_FIRST = "first"


@dataclass(frozen=True)
class Sharing(Integrating):
    """Stages as in bursts of one cycle, but what is held keeps a part of what it was."""

    def clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Sample, transfer and clear in every cycle with a row pulse."""
        return {**super().clocks(schedule), **super().burst_clocks(schedule)}

    def burst_clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """None: cycles are alike."""
        return {}

    def first_clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """What charges both capacitors."""
        return {_FIRST: Clock.of(schedule.rows)}

    def _amplifier(self) -> tuple[str, tuple[str, ...], dict[str, float]]:
        own = {"gain": self.ends.difference_gain, "share": self.ends.share}
        return "sharing_amplifier", (SAMPLE, _FIRST, TRANSFER, CLEAR), own


def averaging(ends: AmplifierStage, burst: int, schedule: Schedule) -> SenseCircuit:
    """Stages with these ends that average row pulses as asked; the ends themselves if not at all.

    Parameters
    ----------
    ends : AmplifierStage
        Stage for one pulse, with the share of a leaky average.
    burst : int
        Cycles of a burst.
    schedule : Schedule
        Pulses of a cycle.

    Raises
    ------
    ConfigError
        If both are asked for.
    """
    check_leaky(burst, burst, ends.share)
    if ends.share < 1:
        return Sharing(ends, burst, schedule)
    return Integrating(ends, burst, schedule) if burst > 1 else ends
