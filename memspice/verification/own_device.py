"""Whether a device does the same at every step of a solver, and on every engine."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from memspice.analysis.comparison import MARGIN
from memspice.analysis.neuron_curve import ABOVE, BELOW, NEVER, NeuronCycles, run_bench
from memspice.engines.base import Engine
from memspice.errors import EngineError, NetlistError
from memspice.experiment.device import Device, load_device
from memspice.experiment.results.base import Shown
from memspice.experiment.results.table import Table
from memspice.experiment.surfaces import measured_neuron
from memspice.jobs import Execution, open_runner
from memspice.parameters import ParameterSet
from memspice.quantities import format_si
from memspice.verification.engines import engines_by_name
from memspice.windows.progress import Progress, counted
from memspice.windows.simulated import solver_options

#: Longest steps, relative to the shortest of them, which is a quarter of a run's.
STEPS, SHORTEST = (1, 2, 4, 8), 0.25
#: Largest difference of an energy: a third of what the verdict on a run allows.
ENERGY = 0.01
#: Probabilities of a switch at the drives of the bench.
ODDS = (0.05, 0.25, 0.5, 0.75, 0.95)
_COLUMNS = "{:8}{:>10}{:>9}{:>9}{:>10}{:>9}{:>9}"


@dataclass(frozen=True, eq=False)
class DeviceRun:
    """Neurons at the drives of the bench, on one engine with one longest step.

    Parameters
    ----------
    engine : str
    step : float, [s]
        Longest step of the solver.
    cycles : NeuronCycles
        Draws of a little less than the integral, a little more, and beyond reach.
    seconds : float, [s]
        Of the engine.
    """

    engine: str
    step: float
    cycles: NeuronCycles
    seconds: float

    @property
    def energy(self) -> float:
        """Energy of all neurons and cycles, [J]."""
        return float(self.cycles.energy.sum())

    def hazard_apart(self, hazard: np.ndarray) -> float:
        """Largest relative distance from hazard integrals (neurons,), [1]."""
        return float(np.max(np.abs(self.cycles.hazard / hazard - 1)))

    @property
    def wrong_spikes(self) -> int:
        """Events whose spike is not what the draw says."""
        expected = np.array([[True], [False], [False]])
        return int(np.count_nonzero(self.cycles.spike != expected))


@dataclass(frozen=True, eq=False, repr=False)
class DeviceVerification(Shown):
    """A device at steps of 1 to 8 times, on every engine that can run it.

    Parameters
    ----------
    name : str
        Of its parameter set.
    drives : ndarray, shape (neurons,), [V]
    hazard : ndarray, shape (neurons,), [1]
        Integral of a write pulse by the closed form, or by the measured curve.
    runs : tuple of DeviceRun
    unable : mapping of str to str
        Engines that cannot run it, or are not installed, and why.
    """

    name: str
    drives: np.ndarray
    hazard: np.ndarray
    runs: tuple[DeviceRun, ...]
    unable: Mapping[str, str]

    @property
    def complaints(self) -> list[str]:
        """Everything beyond its limit, a sentence each."""
        found = []
        for run in self.runs:
            where = f"{run.engine} at steps of {format_si(run.step, 's')}"
            apart = run.hazard_apart(self.hazard)
            if not apart <= MARGIN / 2:
                found.append(
                    f"{where}: a hazard integral is {apart:.2%} off the closed form or the "
                    f"measured curve, above {MARGIN / 2:.1%}: write its growth as the charge of a "
                    "capacitor, about 1 uA for a write pulse"
                )
            if not self.energy_apart(run) <= ENERGY:
                found.append(
                    f"{where}: the energy is {self.energy_apart(run):.2%} off that of "
                    f"{self.runs[0].engine} at its shortest steps, above {ENERGY:.1%}"
                )
            if run.wrong_spikes:
                found.append(
                    f"{where}: {run.wrong_spikes} of {run.cycles.spike.size} spikes are not what "
                    "the draws say: the state must follow the draw, and nothing else"
                )
        return found

    def energy_apart(self, run: DeviceRun) -> float:
        """Relative distance of a run's energy from that of the first, [1]."""
        return abs(run.energy / self.runs[0].energy - 1)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.complaints:
            return "no: " + self.complaints[0]
        hazard = max(run.hazard_apart(self.hazard) for run in self.runs)
        energy = max(map(self.energy_apart, self.runs))
        engines = " and ".join(dict.fromkeys(run.engine for run in self.runs))
        return (
            f"yes: the same at steps of {STEPS[0]} to {STEPS[-1]} times on {engines}; hazard "
            f"within {hazard:.2%}, energy within {energy:.2%}, every spike as its draw says"
        )

    def check(self) -> None:
        """Refuse a device that depends on steps or engines.

        Raises
        ------
        EngineError
            If anything is beyond its limit, or no engine can run it.
        """
        if not self.runs:
            raise EngineError("\n".join(["no engine can run the device:", *self._unable_lines()]))
        if self.complaints:
            raise EngineError("\n".join(["the device depends on its solver:", *self.complaints]))

    def _unable_lines(self) -> list[str]:
        return [f"{engine}: {reason}" for engine, reason in self.unable.items()]

    def as_json(self) -> dict[str, Any]:
        """Object that ``verify --device --json`` prints."""
        return {
            "device": self.name,
            "drive_volt": self.drives.tolist(),
            "hazard": self.hazard.tolist(),
            "runs": [
                {
                    "engine": run.engine,
                    "step_second": run.step,
                    "hazard": run.cycles.hazard.tolist(),
                    "hazard_apart": run.hazard_apart(self.hazard),
                    "energy_joule": run.energy,
                    "energy_apart": self.energy_apart(run),
                    "wrong_spikes": run.wrong_spikes,
                    "spikes": int(run.cycles.spike.sum()),
                    "wall_seconds": run.seconds,
                }
                for run in self.runs
            ],
            "unable": dict(self.unable),
            "holds": bool(self.runs) and not self.complaints,
            "complaints": self.complaints,
        }

    def table(self) -> Table:
        """Verdict, and complaints."""
        rows = (("verdict", self.verdict if self.runs else "no engine can run it"),)
        return Table(self.name, rows, tuple(self.complaints))

    def text(self) -> str:
        """Every run, a line each, above the verdict."""
        low, high = self.drives[[0, -1]]
        lines = [
            f"{self.name}: {len(self.drives)} drives from {low:.4g} to {high:.4g} V, P = "
            f"{ODDS[0]:.0%} to {ODDS[-1]:.0%}",
            _COLUMNS.format("engine", "step", "hazard", "energy", "apart", "spikes", "time"),
        ]
        lines += [
            _COLUMNS.format(
                run.engine,
                format_si(run.step, "s"),
                f"{run.hazard_apart(self.hazard):.3%}",
                format_si(run.energy, "J"),
                f"{self.energy_apart(run):.3%}",
                f"{int(run.cycles.spike.sum())}/{run.cycles.spike.size}",
                f"{run.seconds:.2f} s",
            )
            for run in self.runs
        ]
        return "\n".join([*lines, *self._unable_lines(), *self.table().text().splitlines()[1:]])


def verify_device(
    device: Device | str, names: Sequence[str] = (), *, progress: Progress | None = None
) -> DeviceVerification:
    """Run a device's neuron circuit with longest steps of 1 to 8 times, on every engine.

    Neurons stand at drives from P = 5 % to 95 % and go through three cycles, whose draws are a
    little less than the hazard integral, a little more, and beyond reach; with the tolerances of
    every other run.

    Parameters
    ----------
    device : Device or str
        As of `memspice.load_device`, or what that takes; a circuit of the user's own is measured
        first, and refused where it is no neuron.
    names : sequence of str
        Only these engines; all that are found, if there is none.
    progress : Progress, optional
        Is told how far it is.

    Raises
    ------
    ConfigError
        As of `memspice.analysis.neuron_curve.measure_neuron`.
    EngineNotFound
        If an engine that is named is not installed.
    IncompleteResults
        If an engine failed.
    """
    chosen = device if isinstance(device, Device) else load_device(device)
    values = measured_neuron(chosen.parameters)
    engines, unable = engines_by_name(names)
    drives, hazard = _bench(values)
    draws = np.array([BELOW, ABOVE, np.inf])[:, None] * hazard
    draws = np.minimum(draws, NEVER)
    advance = counted(progress, "steps", len(engines) * len(STEPS))
    runs, reasons = [], dict(unable)
    for name, engine in engines.items():
        try:
            runs += [
                _run(values, engine, drives, draws, factor=factor, advance=advance)
                for factor in STEPS
            ]
        except NetlistError as error:
            reasons[name] = str(error)
    return DeviceVerification(values.name, drives, hazard, tuple(runs), reasons)


def _bench(values: ParameterSet) -> tuple[np.ndarray, np.ndarray]:
    """Drives [V] of the bench and their hazard integrals."""
    neuron, timing = values.neuron, values.timing
    law, share = neuron.device.hazard, neuron.write_fraction
    unit = law.unit_voltage(timing.write, timing.edge)
    wanted = [math.log(-math.log1p(-probability)) for probability in ODDS]
    biased = np.array([law.shifted(unit, each) for each in wanted])
    return biased / share, np.exp(law.log_hazard_integral(biased, timing.write, timing.edge))


def _run(
    values: ParameterSet,
    engine: Engine,
    drives: np.ndarray,
    draws: np.ndarray,
    factor: float,
    advance: Any,
) -> DeviceRun:
    start, steps = time.monotonic(), factor * SHORTEST
    with open_runner(engine, Execution()) as runner:
        cycles = run_bench(
            values.neuron,
            values.latch,
            values.timing,
            drives,
            draws,
            runner=runner,
            steps=steps,
            options=solver_options(values.timing),
        )
    advance(1)
    seconds = time.monotonic() - start
    return DeviceRun(engine.info.name, steps * values.timing.longest_step, cycles, seconds)
