"""The store: exact round trips, the rules of NeXus, what the reader refuses."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from memspice.errors import StoreError
from memspice.store import JobRecord, RunWriter, read_run
from memspice.store.records import installed_versions
from tests.store_helpers import JOB, PROVENANCE, record, write


def assert_same(found: JobRecord, stored: JobRecord) -> None:
    """Fail unless both hold the same values, to the last bit, in the same order."""
    for name in ("key", "name", "netlist", "log"):
        assert getattr(found, name) == getattr(stored, name)
    for name in ("attributes", "energy"):
        assert getattr(found, name) == dict(getattr(stored, name))
    assert found.time.tobytes() == stored.time.tobytes()
    for name in ("signals", "events"):
        left, right = getattr(found, name), getattr(stored, name)
        assert list(left) == list(right)
        for column, (values, unit) in right.items():
            assert left[column][1] == unit
            assert left[column][0].dtype == values.dtype
            assert left[column][0].tobytes() == values.tobytes()


# --- what is stored comes back --------------------------------------------------------------------


def test_round_trip_is_exact(tmp_path: Path) -> None:
    jobs = [record(1), record(0), record(2, layer="fc")]
    path = write(tmp_path / "made" / "run.h5", *jobs)
    with read_run(path) as run:
        assert run.provenance == PROVENANCE
        assert run.status == "complete"
        assert run.summary == {"spikes": 2}
        assert [info.name for info in run.jobs()] == sorted(job.name for job in jobs)
        for job in jobs:
            assert_same(run.job(job.name), job)
    assert [found.name for found in path.parent.iterdir()] == ["run.h5"]


def test_attributes_keep_their_types(tmp_path: Path) -> None:
    facts: dict[str, Any] = {"b": False, "i": -(2**63), "u": 2**64 - 1, "f": 0.1, "s": "", "t": "µ"}
    path = write(tmp_path / "run.h5", replace(record(), attributes={**facts, "n": np.int32(3)}))
    with read_run(path) as run:
        found = run.job(record().name).attributes
    assert found == {**facts, "n": 3}
    assert {k: type(v) for k, v in found.items()} == {k: type(v) for k, v in facts.items()} | {
        "n": int
    }


def test_job_without_waveforms_netlist_or_events(tmp_path: Path) -> None:
    bare = JobRecord(key="k", name="surrogate")
    path = write(tmp_path / "run.h5", bare)
    with read_run(path) as run:
        assert_same(run.job("surrogate"), bare)
        info = run.jobs()[0]
    assert (info.points, info.signals, info.events, info.spikes) == (0, 0, 0, None)
    with h5py.File(path) as file:
        assert "waveforms" not in file["surrogate"]
        assert "default" not in file.attrs


def test_info_counts(tmp_path: Path) -> None:
    with read_run(write(tmp_path / "run.h5", record())) as run:
        info = run.jobs()[0]
    assert (info.points, info.signals, info.events, info.spikes) == (30, 4, 4, 2)


def test_empty_event_table_keeps_its_columns(tmp_path: Path) -> None:
    job = replace(record(), events={"neuron": (np.empty(0, int), "1")})
    with read_run(write(tmp_path / "run.h5", job)) as run:
        assert_same(run.job(job.name), job)


def test_waveform_returns_time_values_and_unit(tmp_path: Path) -> None:
    job = record()
    with read_run(write(tmp_path / "run.h5", job)) as run:
        for name, (values, unit) in job.signals.items():
            time_points, found, found_unit = run.waveform(job.name, name)
            np.testing.assert_array_equal(time_points, job.time)
            np.testing.assert_array_equal(found, values)
            assert found_unit == unit


def test_long_waveforms_are_compressed_in_chunks(tmp_path: Path) -> None:
    points = 200_000
    time_points = np.arange(points) * 1e-9
    job = replace(record(), time=time_points, signals={"v(a)": (np.zeros(points), "V")})
    path = write(tmp_path / "run.h5", job)
    with h5py.File(path) as file:
        dataset = file[f"{job.name}/waveforms/v_a"]
        assert dataset.dtype == np.float64
        assert dataset.compression == "gzip"
        assert dataset.shuffle
        assert dataset.chunks[0] < points
    assert path.stat().st_size < 8 * points


def test_versions_name_the_libraries_that_matter() -> None:
    found = installed_versions()
    assert found["numpy"] == np.__version__
    assert set(found) == {
        "python", "memspice", "memspice_sources", "numpy", "scipy", "h5py", "PySpice",
    }  # fmt: skip


# --- NeXus: a generic viewer draws a plot on opening ----------------------------------------------


def default_plot(file: h5py.File) -> h5py.Group:
    """Follow the chain of defaults as the NeXus manual says, checking every class on the way."""
    group: h5py.Group = file
    classes = []
    while group.attrs["NX_class"] != "NXdata":
        classes.append(group.attrs["NX_class"])
        group = group[group.attrs["default"]]
    assert classes == ["NXroot", "NXentry", "NXsubentry"]
    return group


def check_nxdata(group: h5py.Group) -> None:
    """Check the rules of NXdata: direct children, one shape, an axis a dimension."""
    signal_data = group[group.attrs["signal"]]
    for name in group.attrs.get("auxiliary_signals", []):
        assert group[name].shape == signal_data.shape
        assert group[name].attrs["units"] == signal_data.attrs["units"]
        assert name != group.attrs["signal"]
    for dimension, axis in enumerate(group.attrs.get("axes", [])):
        assert group[axis].shape == (signal_data.shape[dimension],)
        assert list(group.attrs[f"{axis}_indices"]) == [dimension]
    for dataset in group.values():
        assert {"units", "long_name"} <= set(dataset.attrs)


def test_default_chain_ends_in_the_first_plot(tmp_path: Path) -> None:
    bare = JobRecord(key="bare", name="a/nothing_to_plot")
    with h5py.File(write(tmp_path / "run.h5", record(3), bare, record(1))) as file:
        plot = default_plot(file)
        assert plot.name == "/conv1/position0001/waveforms"
        assert plot.attrs["signal"] == "v_out"
        assert list(plot.attrs["axes"]) == ["time"]
        assert [plot[name].attrs["name"] for name in plot.attrs["auxiliary_signals"]] == [
            "v.out",
            "v_out",
        ]


def test_every_nxdata_follows_the_rules_and_every_name_is_valid(tmp_path: Path) -> None:
    seen: list[str] = []

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        leaf = name.split("/")[-1]
        assert leaf.replace("_", "").isalnum()  # dots came into NeXus after 2018
        if isinstance(item, h5py.Group):
            assert item.attrs["NX_class"].startswith("NX")
            if item.attrs["NX_class"] == "NXdata":
                check_nxdata(item)
                seen.append(leaf)

    with h5py.File(write(tmp_path / "run.h5", record())) as file:
        file.visititems(visit)
        assert all(entry.attrs["NX_class"] == "NXentry" for entry in file.values())
    assert sorted(seen) == ["events", "waveforms", "waveforms_A"]


def test_signals_of_another_unit_are_the_same_datasets_again(tmp_path: Path) -> None:
    with h5py.File(write(tmp_path / "run.h5", record())) as file:
        job = file[record().name]
        assert job["waveforms_A/i_vdd"] == job["waveforms/i_vdd"]
        assert job["waveforms_A/time"] == job["waveforms/time"]
        assert job["waveforms_A"].attrs["signal"] == "i_vdd"


def test_unfinished_run_draws_through_its_links(tmp_path: Path) -> None:
    run = RunWriter.create(tmp_path / "run.h5", PROVENANCE)
    run.add(record(0))
    moved = tmp_path / "elsewhere"
    shutil.copytree(tmp_path, moved)
    with h5py.File(moved / "run.h5") as file:
        plot = default_plot(file)
        check_nxdata(plot)
        assert Path(plot.file.filename).parent.parent == moved  # links are relative
    run.finish({})


# --- what the reader refuses ----------------------------------------------------------------------


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        read_run(tmp_path / "run.h5")
    with pytest.raises(StoreError, match="is a folder"):
        read_run(tmp_path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    path.write_text("time,v\n0,1\n")
    with pytest.raises(StoreError, match="is no HDF5 file"):
        read_run(path)
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with pytest.raises(StoreError, match="no memspice run"):
        read_run(path)


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "run.h5", record())
    os.truncate(path, path.stat().st_size - 100)
    with pytest.raises(StoreError, match="is truncated"):
        read_run(path)


def test_file_of_a_later_format_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "run.h5", record())
    with h5py.File(path, "a") as file:
        file.attrs["format"] = 99
    with pytest.raises(StoreError, match="has format 99"):
        read_run(path)


def test_damaged_waveform_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "run.h5", record())
    with h5py.File(path) as file:
        offset = file[f"{JOB.name}/waveforms/v_out"].id.get_chunk_info(0).byte_offset
    data = bytearray(path.read_bytes())
    data[offset + 20 : offset + 60] = bytes(40)
    path.write_bytes(data)
    with read_run(path) as run, pytest.raises(StoreError, match="is damaged"):
        run.waveform(JOB.name, "v(out)")


def test_changed_netlist_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "run.h5", JOB)
    with h5py.File(path, "a") as file:
        file[f"{JOB.name}/netlist"][0] = b"* another deck"
    with read_run(path) as run, pytest.raises(StoreError, match="is not the text once stored"):
        run.job(JOB.name)


def test_unfinished_run_without_its_parts_is_refused(tmp_path: Path) -> None:
    run = RunWriter.create(tmp_path / "run.h5", PROVENANCE)
    run.add(record(0))
    shutil.copy(tmp_path / "run.h5", tmp_path / "alone.h5")
    with pytest.raises(StoreError, match=r"needs alone\.h5\.parts beside it"):
        read_run(tmp_path / "alone.h5")


def test_unknown_job_and_signal_name_the_nearest(tmp_path: Path) -> None:
    with read_run(write(tmp_path / "run.h5", JOB, record(1))) as run:
        with pytest.raises(StoreError, match="no job 'conv1/posit0001'.*nearest: conv1/position"):
            run.job("conv1/posit0001")
        with pytest.raises(StoreError, match=r"no signal 'v\(uot\)'; it has 4, nearest: v\(out\)"):
            run.waveform(JOB.name, "v(uot)")
        with pytest.raises(StoreError, match="no signal 'time'"):
            run.waveform(JOB.name, "time")
        with pytest.raises(StoreError, match=r"no signal 'i\(vd\)'; it has 4, nearest: i\(vdd\)"):
            run.job(JOB.name).select(["i(vd)"])
        assert list(run.job(JOB.name).select(["i(vdd)"])) == ["i(vdd)"]
