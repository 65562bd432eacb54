"""What ``waves export`` writes, read by programs that others wrote; for ``make docs-check``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from spicelib import RawRead
from vcdvcd import VCDVCD

import memspice as ms
from memspice.store import JobRecord, export_jobs, read_run


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> list[JobRecord]:
    """Decks of one window, as a run file has them."""
    out = tmp_path_factory.mktemp("run") / "run.h5"
    images = ms.load_images("digits", "test")[:1]
    ms.Chip("digits-mlp", ms.load_device("fast-memristor", "behavioural"))["dense1"].simulate(
        images, cycles=2, options=ms.RunOptions(out=out)
    )
    with read_run(out) as run:
        return [run.job(info.name) for info in run.jobs()]


def test_spicelib_reads_every_bit_of_a_raw_file(jobs: list[JobRecord], tmp_path: Path) -> None:
    export_jobs(jobs[:1], tmp_path / "a.raw")
    raw = RawRead(str(tmp_path / "a.raw"))
    columns = {"time": (jobs[0].time, "s"), **jobs[0].signals}
    assert raw.dialect == "ngspice"
    assert raw.get_trace_names() == list(columns)
    for name, (values, _) in columns.items():
        assert np.asarray(raw.get_trace(name).get_wave(0)).tobytes() == values.tobytes()


def test_vcdvcd_counts_the_spikes_of_every_neuron(jobs: list[JobRecord], tmp_path: Path) -> None:
    export_jobs(jobs, tmp_path / "a.vcd")
    dump = VCDVCD(str(tmp_path / "a.vcd"))
    for job in jobs:
        spike, neuron = (job.events[name][0] for name in ("spike", "neuron"))
        for number in np.unique(neuron):
            name = f"neuron{int(job.attributes['first_output']) + number}"
            levels = [level for _, level in dump[f"{job.name.replace('/', '.')}.{name}"].tv]
            assert levels.count("1") == np.sum(spike[neuron == number])
