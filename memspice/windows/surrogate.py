"""No circuit is simulated: NumPy, by the exact port matrix, the hazard law and closed forms."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from memspice.circuits.closed_form_limits import refuse_without_closed_form
from memspice.circuits.energy_model import closed_form_energy
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError
from memspice.store import JobRecord
from memspice.windows.fidelity import Fidelity, WindowJob
from memspice.windows.job_record import event_columns, job_attributes
from memspice.windows.kept import Kept


@dataclass(frozen=True)
class Surrogate(Fidelity):
    """Closed forms in NumPy; refused where `memspice.circuits.closed_form_limits` finds a doubt."""

    name: ClassVar[str] = "surrogate"
    engine: None = field(default=None, init=False, repr=False)

    def request(self, job: WindowJob) -> None:
        """Ask nothing of an engine."""

    def record(self, job: WindowJob, netlist: str, kept: Kept, waves: Waveforms) -> JobRecord:
        """Refuse: no engine has made waveforms of this job."""
        raise ConfigError(f"{job.name} is computed, not read from waveforms: use run")

    def run(
        self,
        job: WindowJob,
        *,
        timeout: float = 900.0,
        cancel: threading.Event | None = None,
        kept: Kept = Kept(),
    ) -> JobRecord:
        """Compute a job; nothing can stop it, and there are no waveforms."""
        started = time.monotonic()
        refuse_without_closed_form(job.circuit, job.row_voltage, job.layer.name, job.burst)
        return _record(job, started)


def surrogate_events(job: WindowJob) -> dict[str, np.ndarray]:
    """Closed-form drive [V] and hazard integral of a job's events, each (cycles, outputs)."""
    circuit = job.circuit
    drive = circuit.held_drive(job.row_voltage, job.burst)
    hazard = np.exp(np.minimum(circuit.log_hazard(drive), 50.0))
    return {"drive": drive, "hazard": hazard if circuit.spiking else np.zeros_like(drive)}


def _record(job: WindowJob, started: float) -> JobRecord:
    stimulus, events = job.stimulus(), surrogate_events(job)
    energy = closed_form_energy(
        job.circuit, stimulus.row_voltage, events["hazard"], stimulus.thresholds, job.burst
    )
    spikes = events["hazard"] >= stimulus.thresholds
    return JobRecord(
        key=job.key,
        name=job.name,
        attributes=job_attributes(job, time.monotonic() - started),
        events=event_columns(stimulus, events["drive"], events["hazard"], spikes),
        energy={name: float(part.sum()) for name, part in energy.items()},
    )
