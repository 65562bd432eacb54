"""The verdict on results of SPICE: one rule for every command, fidelity and kind of layer.

A job is judged by its own record, right behind the engine and before anything is kept of it:
spikes event by event, hazard integrals, drives (of an accumulating layer: its scores), the energy
of every component, and the closure of them all, each against a limit.  What is beyond one is
shown with a note, ends the command with an error, and enters neither cache nor calibration.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from memspice.analysis.comparison import (
    CERTAIN,
    MARGIN,
    PathwiseComparison,
    compare_spikes,
    merge,
)
from memspice.circuits.blocks.neuron import Neuron
from memspice.circuits.bursts import burst_means
from memspice.circuits.energy_model import closed_form_energy, neuron_energy, neurons_of_layer
from memspice.circuits.neuron_bench import BenchEvents, NeuronBench
from memspice.errors import EngineError
from memspice.windows.fidelity import WindowJob
from memspice.windows.outcome import Outcome
from memspice.windows.surrogate import surrogate_events

#: Largest closure of an energy, relative to what the sources deliver.
CLOSURE_LIMIT = 1e-3
#: Largest relative distance of a component's energy from the closed form.  That leaves out edges,
#: settling and the course of a switch: up to 1.3 % of the write energy of ``ag-asi``, 1.2 % of the
#: array's and 2.1 % of the latches' of ``sot-mtj``, over all sets, networks and engines.
ENERGY_LIMIT = 0.03
#: The same for the reset, whose closed form has the end of a filament from a rule of thumb: found
#: up to 7.1 % off; of a neuron whose switches and nodes were measured around it, up to 2.7.
RESET_LIMIT, MEASURED_RESET_LIMIT = 0.1, 0.05
#: Share of a pulse by which a device may conduct later or earlier than it switches in closed form,
#: where that is at once: the models take a hundredth of the pulse.  It decides where few devices
#: switch, and those late.
SWITCH_SHARE = 0.02
#: A component below this share of the total, were every event a spike, counts as one of this share:
#: it decides nothing.
SMALL_SHARE = 0.01
#: Standard deviations of what drawn transistors leave open that count as agreement.
DEVIATIONS = 4.0
#: Components whose joules they leave open: of stages, and of the cells whose lines these hold off
#: their level, which is known no better (found up to 3.5 % off, of 48 neurons).
OPEN = ("sense", "crossbar")


@dataclass(frozen=True)
class Verdict:
    """Verdict on results against the closed form, each number the worst of all jobs.

    Parameters
    ----------
    pathwise : PathwiseComparison
        Spikes and hazard integrals; no events where nothing spikes.
    drive_deviation : float, [1]
        Largest difference of a drive, relative to the largest of the job, or to that of a weighted
        input of one where all are smaller.
    energy_deviation : mapping of str to float, [1]
        For each component its difference from what the closed form and the margin of spikes allow,
        relative to the larger of itself and ``SMALL_SHARE`` of the total.
    closure : float or None, [1]
        ``|delivered - dissipated - stored| / delivered``; None where nothing is balanced.
    margin : float, [1]
        Within which spikes and hazard integrals may differ: more than ``MARGIN`` where transistors
        were drawn, and what the closed form knows of them has a residual.
    reset_limit : float, [1]
        ``RESET_LIMIT``, or ``MEASURED_RESET_LIMIT``.
    """

    pathwise: PathwiseComparison
    drive_deviation: float
    energy_deviation: Mapping[str, float]
    closure: float | None
    margin: float = MARGIN
    reset_limit: float = RESET_LIMIT

    @property
    def holds(self) -> bool:
        """Whether every number is within its limit."""
        return not self.doubts

    @property
    def doubts(self) -> list[str]:
        """One sentence for each number beyond its limit, or not a number."""
        pathwise, found = self.pathwise, []
        if not pathwise.worst_margin <= self.margin:
            found.append(
                f"{pathwise.mismatches} spikes differ from the closed form, one with its hazard "
                f"integral {_distance(pathwise.worst_margin)}; the margin is {self.margin:.0%}: "
                "a rail reached, too little time to settle, or signals that are not those of this "
                "circuit"
            )
        if not pathwise.hazard_deviation <= self.margin:
            found.append(
                f"a hazard integral is {pathwise.hazard_deviation:.2%} off the closed form, above "
                f"{self.margin:.0%}: the surrogate's rates do not hold for this circuit"
            )
        if not self.drive_deviation <= MARGIN:
            found.append(
                f"a drive or score is off the closed form by {self.drive_deviation:.2%} of the "
                f"largest, above {MARGIN:.0%}: the surrogate does not hold for this circuit"
            )
        for name, deviation in self.energy_deviation.items():
            limit = self.reset_limit if name == "neuron_reset" else ENERGY_LIMIT
            if not deviation <= limit:
                found.append(
                    f"the energy of {name} is {deviation:.2%} off the closed form, above "
                    f"{limit:.0%}: neither is to be relied on"
                )
        if self.closure is not None and not self.closure <= CLOSURE_LIMIT:
            found.append(
                f"the energy closes to {self.closure:.1e} only, above {CLOSURE_LIMIT:.0e}: a "
                "current is not counted, or the steps are too long; the energies are not to be "
                "relied on"
            )
        return found

    def as_json(self) -> dict[str, Any]:
        """Numbers and doubts as ``--json`` and summaries have them."""
        return {
            "holds": self.holds,
            "doubts": self.doubts,
            "margin": self.margin,
            "worst_margin": self.pathwise.worst_margin,
            "hazard_deviation": self.pathwise.hazard_deviation,
            "drive_deviation": self.drive_deviation,
            "energy_deviation": dict(self.energy_deviation),
            "closure": self.closure,
        }


def judge(job: WindowJob, found: Outcome) -> Verdict:
    """Verdict on what a job ended with.

    Drawn transistors leave a residual of drive and joules open, of which ``DEVIATIONS`` count as
    none; and of events that they bring to where no drive was measured only their number counts, so
    that joules of a deck with one are not compared.
    """
    expected, residual = surrogate_events(job), job.circuit.sense.residual
    spread = residual * float(np.max(job.circuit.hazard_slope))
    apart = job.circuit.beyond(burst_means(job.row_voltage, job.burst)).repeat(job.burst, axis=0)
    events = [
        compare_spikes(
            found.spikes,
            expected["hazard"] >= found.thresholds,
            found.hazard,
            expected["hazard"],
            found.thresholds,
            spread=spread,
            apart=apart,
        )
    ]
    largest = max(job.layer.volts_per_unit, float(np.max(np.abs(expected["drive"]))))
    off = np.abs(found.drive - expected["drive"])[~apart] - DEVIATIONS * residual
    margin = MARGIN + math.expm1(DEVIATIONS * spread)
    energies = {} if apart.any() else _energy_deviation(job, found, expected["hazard"], margin)
    return Verdict(
        pathwise=merge(events if found.spiking else []),
        drive_deviation=float(np.max(off, initial=0.0)) / largest,
        energy_deviation=energies,
        closure=found.closure,
        margin=margin,
        reset_limit=_reset_limit(job.circuit.neuron),
    )


def _reset_limit(neuron: Neuron) -> float:
    return MEASURED_RESET_LIMIT if neuron.measured_reset else RESET_LIMIT


def _energy_deviation(
    job: WindowJob, found: Outcome, hazard: np.ndarray, margin: float
) -> dict[str, float]:
    """Relative distance of each component from the closed form, see `Verdict`."""
    rows, thresholds, sense = job.row_voltage, job.stimulus().thresholds, job.circuit.sense
    standing = closed_form_energy(job.circuit, rows, hazard, thresholds, job.burst)
    drive = job.circuit.held_drive(rows, job.burst)

    def form(each: np.ndarray, side: int) -> dict[str, np.ndarray]:
        """With other hazard integrals, and to either side what transistors leave open."""
        apart = side * DEVIATIONS
        stages = {name: standing[name] * (1 + apart * sense.energy_residual) for name in OPEN}
        if not job.circuit.spiking:
            return standing | stages
        moved = drive + apart * sense.residual
        neurons = neurons_of_layer(job.circuit, moved, each, thresholds, job.burst)
        return standing | stages | neurons

    return _apart(found.energy, form, hazard, thresholds, margin)


def _apart(
    found: Mapping[str, float],
    form: Callable[[np.ndarray, int], Mapping[str, np.ndarray]],
    hazard: np.ndarray,
    thresholds: np.ndarray,
    margin: float = MARGIN,
) -> dict[str, float]:
    """Relative distances of energies from what a closed form of hazard integrals allows.

    It allows what the margin of spikes makes of it, to either side, and ``SWITCH_SHARE``.
    """

    def energies(each: np.ndarray, side: int = 0) -> dict[str, float]:
        values = form(each, side)
        return {name: float(values[name].sum()) for name in found}

    ends = [energies((1 + side * margin) * hazard, side) for side in (0, -1, 1)]
    every = energies(np.full_like(hazard, CERTAIN))
    switched = hazard >= thresholds
    at_once, never = (energies(np.where(switched, end, hazard)) for end in (CERTAIN, 0.0))
    small = SMALL_SHARE * sum(max(every[name], *(end[name] for end in ends)) for name in found)
    apart = {}
    for name, value in found.items():
        each = [end[name] for end in ends]
        slack = 0.0
        if name == "neuron_write":
            slack = SWITCH_SHARE * abs(at_once[name] - never[name])
        distance = max(value - max(each), min(each) - value) - slack
        apart[name] = max(distance, 0.0) / max(small, each[0])
    return apart


def judge_bench(bench: NeuronBench, events: BenchEvents) -> Verdict:
    """Verdict on a bench of neurons; what its supplies deliver stands for its energies."""
    neuron = bench.neuron
    log_hazard = neuron.device.hazard.log_hazard_integral(
        bench.drive_voltage * neuron.write_fraction, bench.timing.write, bench.timing.edge
    )
    hazard = np.broadcast_to(np.exp(np.minimum(log_hazard, 50.0)), bench.thresholds.shape)
    pathwise = compare_spikes(
        events.spike, hazard >= bench.thresholds, events.hazard, hazard, bench.thresholds
    )
    drive = np.broadcast_to(bench.drive_voltage, bench.thresholds.shape)

    def form(each: np.ndarray, side: int) -> dict[str, np.ndarray]:
        del side
        values = neuron_energy(bench, drive, each, bench.thresholds)
        return values | {"neuron_read": values["neuron_read"] + values["logic"]}  # set in a read

    names = ("neuron_write", "neuron_read", "neuron_reset")
    found = dict(zip(names, events.energy.sum(axis=0).tolist(), strict=True))
    deviation = _apart(found, form, hazard, bench.thresholds)
    return Verdict(pathwise, 0.0, deviation, None, reset_limit=_reset_limit(neuron))


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """Verdict on all jobs of several: of each number the worst."""
    closures = [item.closure for item in verdicts if item.closure is not None]
    return Verdict(
        pathwise=merge([item.pathwise for item in verdicts]),
        drive_deviation=max((item.drive_deviation for item in verdicts), default=0.0),
        energy_deviation={
            name: max(item.energy_deviation.get(name, 0.0) for item in verdicts)
            for name in dict.fromkeys(name for item in verdicts for name in item.energy_deviation)
        },
        closure=max(closures, default=None),
        margin=max((item.margin for item in verdicts), default=MARGIN),
        reset_limit=max((item.reset_limit for item in verdicts), default=RESET_LIMIT),
    )


def judge_all(jobs: Sequence[WindowJob], outcomes: Sequence[Outcome]) -> Verdict:
    """Verdict on what several jobs ended with."""
    return together([judge(job, found) for job, found in zip(jobs, outcomes, strict=True)])


def check_verdict(doubts: Sequence[str]) -> None:
    """Fail after the result is out, if it is beyond a limit.

    Parameters
    ----------
    doubts : sequence of str
        As of `Verdict.doubts`.

    Raises
    ------
    EngineError
        If there is any.
    """
    if doubts:
        raise EngineError(
            "\n  ".join(["SPICE and the closed form disagree beyond their limits:", *doubts])
            + "\nNothing of this run is kept in the cache or used to calibrate"
        )


def _distance(margin: float) -> str:
    """Distance ``|H / E - 1|`` in words; beyond 1, H can only be above E."""
    if margin <= 1:
        return f"{margin:.1%} from the threshold"
    return f"{1 + margin:.3g} times the threshold"
