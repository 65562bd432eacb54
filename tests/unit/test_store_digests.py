"""Nothing that is printed of a run lies outside of a checksum, nor is it resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from memspice.errors import StoreError
from memspice.store import RunWriter, read_run
from tests.store_helpers import JOB, PROVENANCE, record, write


def attribute(place: str, name: str, value: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        assert name in file[place].attrs
        file[place].attrs[name] = value

    return change


def number(place: str, value: float) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[place][...] = value

    return change


def text(place: str, value: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[place]
        file[place] = value

    return change


def shorter(file: h5py.File) -> None:
    for name in ("events/cycle", "events/spike", "events/hazard", "events/threshold"):
        kept = dict(file[f"{JOB.name}/{name}"].attrs)
        values = file[f"{JOB.name}/{name}"][:2]
        del file[f"{JOB.name}/{name}"]
        file[f"{JOB.name}/{name}"] = values
        file[f"{JOB.name}/{name}"].attrs.update(kept)


def exchanged(file: h5py.File) -> None:
    file.move("conv1", "other")
    file.move("other/position0000", "other/position0009")
    file["conv1"] = file["other"]
    del file["other"]


def one_job_less(file: h5py.File) -> None:
    del file["conv1/position0001"]
    file.attrs["jobs"] = 1


CHANGES = {
    "status": attribute("/", "status", "incomplete"),
    "run_id": attribute("/", "run_id", "f" * 32),
    "seed": attribute("provenance", "seed", 8),
    "command": attribute("provenance", "command", "rm -r"),
    "engine": attribute("provenance/engine", "version", "40"),
    "versions": attribute("provenance/versions", "numpy", "1"),
    "start": text("provenance/start_time", "2001-01-01T00:00:00+00:00"),
    "end": text("provenance/end_time", "2001-01-01T00:00:00+00:00"),
    "rows": attribute(JOB.name, "rows", 28),
    "key": attribute(JOB.name, "key", "b" * 64),
    "failed": attribute(JOB.name, "fidelity", "reduced"),
    "energy": number(f"{JOB.name}/energy/driver", 1.0),
    "closure": number(f"{JOB.name}/energy/closure", 0.0),
    "time": number(f"{JOB.name}/waveforms/time", 1.0),
    "voltage": number(f"{JOB.name}/waveforms/v_out", 1.0),
    "unit": attribute(f"{JOB.name}/waveforms/v_out", "units", "A"),
    "name": attribute(f"{JOB.name}/waveforms/v_out", "name", "v(in)"),
    "hazard": number(f"{JOB.name}/events/hazard", 1.0),
    "spike": number(f"{JOB.name}/events/spike", True),
    "fewer events": shorter,
    "another name": exchanged,
    "one job less": one_job_less,
}


@pytest.mark.parametrize("name", CHANGES)
def test_no_change_is_read_or_resumed(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "run.h5", JOB, record(1))
    with h5py.File(path, "a") as file:
        CHANGES[name](file)
    with pytest.raises(StoreError, match=r"run\.h5.* has changed since"):
        _read_all(path)
    with pytest.raises(StoreError, match="has changed since"):
        RunWriter.create(path, PROVENANCE, resume=True)


def _read_all(path: Path) -> None:
    with read_run(path) as run:
        assert run.provenance.seed
        run.jobs()
        for info in run.jobs():
            run.job(info.name)
