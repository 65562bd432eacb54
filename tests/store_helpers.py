"""A small run with something of everything."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from memspice.store import JobRecord, Provenance, RunWriter

PROVENANCE = Provenance(
    config="[run]\nseed = 7\nµ = 1\n",
    seed=2**63 + 5,
    engine={"name": "ngspice", "version": "39.3", "osdi": False, "klu": True, "sha256": "c" * 64},
    command="memspice simulate-layer conv1 --seed 7",
)


def record(index: int = 0, points: int = 30, layer: str = "conv1") -> JobRecord:
    """Return a job with something of everything."""
    rng = np.random.default_rng(index)
    return JobRecord(
        key=f"{index:064x}",
        name=f"{layer}/position{index:04d}",
        attributes={"rows": 27, "fidelity": "full", "step": 1e-9, "step_units": "s", "wired": True},
        netlist="* deck of µ\nV1 a 0 1\n" * (index + 1),
        log="No. of Data Rows : 30\n",
        time=np.cumsum(rng.random(points)) * 1e-9,
        signals={
            "v(out)": (rng.normal(size=points), "V"),
            "i(vdd)": (rng.normal(size=points) * 1e-6, "A"),
            "v.out": (rng.normal(size=points), "V"),
            "v_out": (rng.normal(size=points), "V"),
        },
        events={
            "cycle": (np.arange(4), "1"),
            "hazard": (rng.exponential(size=4), "1"),
            "threshold": (rng.exponential(size=4), "1"),
            "spike": (np.array([True, False, False, True]), "1"),
        },
        energy={"driver": 1.25e-12, "total": 1.25e-12, "closure": 3e-5},
    )


JOB = record()


def write(path: Path, *records: JobRecord) -> Path:
    """Write a finished run."""
    with RunWriter.create(path, PROVENANCE) as run:
        for job in records:
            run.add(job)
        run.finish({"spikes": 2})
    return path
