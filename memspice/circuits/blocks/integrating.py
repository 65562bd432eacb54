r"""Sense stages for bursts: a difference stage that integrates K row pulses and holds their drive.

::

             sample          transfer
    lines ---difference/K---(sum)----------(held)-- bias, limits --> drive
                              |clear
    rows      _/\_/\_/\_/\_/\_/\_/\_/\_________________
    sample    _/\_/\_/\_/\_/\_/\_/\_/\_________________   K = 4, two bursts
    transfer  ___________/\__________/\_______________
    clear     ____________/\__________/\______________
    hold      _____________/\_/\_/\_/\_/\_/\_/\_/\____   and write, read, reset of neurons

Two capacitors, so that the next burst is taken in while neurons are written from this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.blocks.amplifiers import ENABLE, LOWER, UPPER, AmplifierStage
from memspice.circuits.blocks.sense_circuit import SenseCircuit
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck
from memspice.circuits.signals import Signals
from memspice.circuits.timing import Pulse, Schedule

SAMPLE, TRANSFER, CLEAR, HOLD = "sample", "transfer", "empty", "hold"
#: Time constants of a transfer, and of a clearing, in their pulses: either is over to e^-40.
_CONSTANTS = 40


@dataclass(frozen=True)
class Integrating(SenseCircuit):
    """Ends of the lines as without bursts; behind them one integrating stage for each pair.

    Parameters
    ----------
    ends : AmplifierStage
        Stage for one pulse: its ends of lines, and the gain and limits of its difference stage.
    burst : int
        Row pulses of a drive; each adds this part of what one gives without bursts.
    schedule : Schedule
        A sample lasts as long as a write pulse, and begins as late behind the rows'.  Behind the
        last pulse of a burst the sum is transferred in the time of a read, and cleared in that of
        a reset.
    """

    ends: AmplifierStage
    burst: int
    schedule: Schedule

    @property
    def supplies(self) -> Mapping[str, float]:
        """Rails of all amplifiers."""
        return self.ends.supplies

    def clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Amplifiers are on while rows are driven, and sampled when they have settled."""
        return {**self.ends.clocks(schedule), SAMPLE: Clock.of(schedule.write)}

    def burst_clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Transfer and clear, both behind the last row pulse."""
        last = (self.burst - 1) * schedule.cycle
        return {
            name: Clock.of(Pulse(last + pulse.start, last + pulse.stop, pulse.edge))
            for name, pulse in ((TRANSFER, schedule.read), (CLEAR, schedule.reset))
        }

    def hold_clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """What holds a drive is on for as long as the rows are."""
        return {HOLD: Clock.of(schedule.rows)}

    def add(
        self,
        deck: Deck,
        bias: np.ndarray,
        gain: np.ndarray,
        conductance: np.ndarray,
        limits: tuple[float, float],
    ) -> None:
        """Add what the lines end in, and an integrating stage for each pair."""
        del conductance
        ends, schedule, (low, high) = self.ends, self.schedule, limits
        circuit = ends.add_ends(deck, len(bias))
        name, clocks, own = self._amplifier()
        for output, (voltage, factor) in enumerate(zip(bias.tolist(), gain.tolist(), strict=True)):
            circuit.X(
                f"integrating{output}",
                name,
                *ends.inputs(output),
                nodes.drive(output),
                *(*clocks, ENABLE, HOLD, UPPER, LOWER),
                **{**own, "gain": factor * own["gain"]},
                v_bias=voltage,
                low=low,
                high=high,
                pole=ends.difference_pole,
                i_quiescent=ends.quiescent_current,
                window=schedule.write.area,
                transfer_time=schedule.read.area / _CONSTANTS,
                clear_time=schedule.reset.area / _CONSTANTS,
                droop=ends.droop,
            )

    def _amplifier(self) -> tuple[str, tuple[str, ...], dict[str, float]]:
        """Subcircuit behind the ends, its own clocks, and its own parameters."""
        gain = self.ends.difference_gain / self.burst
        return "integrating_amplifier", (SAMPLE, TRANSFER, CLEAR), {"gain": gain}

    def signals(self, outputs: int) -> list[str]:
        """Those of the ends, and the clocks that switch amplifiers on."""
        return [*self.ends.signals(outputs), f"v({ENABLE})", f"v({HOLD})"]

    def power(self, signals: Signals, outputs: int, schedule: Schedule) -> np.ndarray:
        """Supply currents of amplifiers, of what holds the drives, and the ends of the lines."""
        del schedule  # the clocks say when
        watts = 2 * self.ends.supply * self.ends.quiescent_current
        idle, holding = (watts * signals.voltage(name) for name in (ENABLE, HOLD))
        power = np.empty((outputs, len(idle)))
        for output in range(outputs):
            columns = (2 * output, 2 * output + 1)
            power[output] = idle + holding
            power[output] += sum(self.ends.end_power(signals, j, idle) for j in columns)
        return power
