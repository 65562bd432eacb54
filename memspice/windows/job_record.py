"""What records of all fidelities have in common: the facts of a job, and its events."""

from __future__ import annotations

import numpy as np

from memspice.circuits.array_circuit import Stimulus
from memspice.windows.fidelity import WindowJob


def job_attributes(job: WindowJob, wall_seconds: float) -> dict[str, str | int | float | bool]:
    """Facts of a job that its record carries; ``wall_seconds`` is what the engine took, [s]."""
    schedule, window = job.circuit.schedule, job.window
    return {
        "layer": window.layer,
        "image": window.image,
        "position": window.position,
        "first_output": job.outputs.start,
        "rows": job.circuit.rows,
        "outputs": job.circuit.outputs,
        "cycles": len(job.inputs),
        "burst": job.burst,
        "charge_share": job.circuit.sense.share,
        "fidelity": job.fidelity.name,
        "spiking": job.circuit.spiking,
        "wall_seconds": wall_seconds,
        "cycle_time": schedule.cycle,
        "write_start": schedule.rows.start,
        "write_stop": schedule.rows.stop,
        "read_start": schedule.read.start,
        "read_stop": schedule.read.stop,
        "reset_start": schedule.reset.start,
        "reset_stop": schedule.reset.stop,
    }


def event_columns(
    stimulus: Stimulus, drive: np.ndarray, hazard: np.ndarray, spikes: np.ndarray
) -> dict[str, tuple[np.ndarray, str]]:
    """What each event ended with, as a record has it; arrays are (cycles, outputs)."""
    cycle, neuron = np.indices(drive.shape)
    return {
        "cycle": (cycle.ravel(), "1"),
        "neuron": (neuron.ravel(), "1"),
        "drive": (drive.ravel(), "V"),
        "threshold": (stimulus.thresholds.ravel(), "1"),
        "hazard": (hazard.ravel(), "1"),
        "spike": (spikes.ravel().astype(np.int8), "1"),
    }
