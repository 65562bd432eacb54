"""Fidelities that an engine simulates: from a job to a netlist, and from waveforms to a record."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from memspice.analysis.energy import EnergyBalance, energy_balance
from memspice.analysis.sense_surface import OPTIONS
from memspice.circuits.array_circuit import ArrayCircuit
from memspice.circuits.blocks.neuron import HAZARD_CHARGE_PER_SECOND
from memspice.circuits.deck import Deck
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.circuits.power import event_values, layer_power, saved_signals
from memspice.circuits.timing import Timing
from memspice.engines.base import Engine, SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.errors import EngineError, NetlistError
from memspice.jobs import EngineRequest
from memspice.solver.reduction import one_blas_thread
from memspice.store import JobRecord
from memspice.windows.fidelity import Fidelity, WindowJob
from memspice.windows.job_record import event_columns, job_attributes
from memspice.windows.kept import Kept
from memspice.windows.kept_signals import kept_signals
from memspice.windows.outcome import outcome


@dataclass(frozen=True)
class Simulated(Fidelity):
    """A fidelity with an engine: what its decks have for the array tells them apart."""

    engine: Engine

    #: Drivers, wires and cells of its decks.
    array: ClassVar[ArrayCircuit]

    def check_circuit(self, job: WindowJob, row_voltage: np.ndarray) -> None:
        """Refuse a circuit for which the fidelity would not be exact.

        Raises
        ------
        ConfigError
            With the reason.
        """

    def deck(self, job: WindowJob) -> Deck:
        """Circuit of a job, as its netlist has it."""
        return layer_deck(job.circuit, job.stimulus(), self.array)

    def request(self, job: WindowJob) -> EngineRequest:
        """Write the netlist of a job."""
        circuit, stimulus = job.circuit, job.stimulus()
        self.check_circuit(job, stimulus.row_voltage)
        return EngineRequest(
            self.engine.write(self.deck(job)),
            Transient(
                stop=circuit.lead + stimulus.laid_out().cycles * circuit.schedule.cycle,
                max_step=circuit.timing.longest_step,
                from_rest=True,
            ),
            tuple(saved_signals(circuit, self.array, job.burst)),
            layer_options(circuit),
        )

    def record(self, job: WindowJob, netlist: str, kept: Kept, waves: Waveforms) -> JobRecord:
        """Read events and energies out of the waveforms of a job."""
        circuit, stimulus = job.circuit, job.stimulus()
        waves = waves.after(circuit.lead)
        # One thread: the same sums in the same order on every machine, however many processors.
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            power = layer_power(circuit, stimulus, self.array, waves)
            balance = energy_balance(power, circuit.schedule, stimulus.laid_out().cycles)
            events = event_values(circuit, stimulus, waves)
            record = _spice_record(job, netlist, waves, events, balance)
            neurons = kept.neurons(outcome(record).spikes, job.outputs.start)
            signals = kept_signals(circuit, stimulus, self.array, waves, neurons)
        _check_finite(record)
        return replace(record, time=waves.time, signals=signals) if neurons else record

    def run(
        self,
        job: WindowJob,
        *,
        timeout: float = 900.0,
        cancel: threading.Event | None = None,
        kept: Kept = Kept(),
    ) -> JobRecord:
        """Simulate a job."""
        request = self.request(job)
        with _named(job):
            waves = self.engine.run(
                request.netlist,
                request.analysis,
                save=request.save,
                options=request.options,
                timeout=timeout,
                cancel=cancel,
            )
        return self.record(job, request.netlist, kept, waves)


def layer_options(circuit: LayerCircuit) -> SolverOptions:
    """Tolerances of a layer's transient; finer ones where one of its blocks needs them."""
    return OPTIONS if circuit.fine else solver_options(circuit.timing)


def solver_options(timing: Timing) -> SolverOptions:
    """Tolerances of a layer's transient, for every engine.

    ``chgtol`` is where ngspice's relative tolerance of charges ends: at the charge of the switching
    states, a thousandth of the hazard integrator's.  Ten times more, and the steps through a reset
    cost 3 % of its energy; the hazard integral then still holds to 0.1 %.  ``vntol`` keeps VACASK,
    which judges voltages, from resolving microvolts on bit lines.  Gear's rule damps what the steps
    do not resolve.
    """
    charge = 1e-3 * HAZARD_CHARGE_PER_SECOND * timing.write
    return SolverOptions(method="gear", reltol=1e-4, vntol=1e-6, chgtol=charge)


def _check_finite(record: JobRecord) -> None:
    wrong = [name for name, joules in record.energy.items() if not math.isfinite(joules)]
    wrong += [name for name, (each, _) in record.events.items() if not np.all(np.isfinite(each))]
    if wrong:
        raise EngineError(
            f"the waveforms of {record.name} give no finite number for {', '.join(wrong)}: they "
            "overflow, or no source delivers anything",
            record.log,
        )


@contextmanager
def _named(job: WindowJob) -> Iterator[None]:
    """Note the job in what the engine raises, which knows only a netlist."""
    try:
        yield
    except (NetlistError, EngineError) as error:
        error.add_note(f"The job that failed is {job.name}")
        raise


def _spice_record(
    job: WindowJob,
    netlist: str,
    waves: Waveforms,
    events: dict[str, np.ndarray],
    balance: EnergyBalance,
) -> JobRecord:
    """Record of a job without its waveforms."""
    nothing = np.zeros_like(events["drive"])
    spikes = job.circuit.latch.fired(events.get("spike", nothing))
    hazard = events.get("hazard", nothing)
    return JobRecord(
        key=job.key,
        name=job.name,
        attributes=job_attributes(job, waves.wall_seconds),
        netlist=netlist,
        log=waves.log,
        events=event_columns(job.stimulus(), events["drive"], hazard, spikes),
        energy={
            **{name: float(part.sum()) for name, part in balance.components.items()},
            "closure": balance.closure,
        },
    )
