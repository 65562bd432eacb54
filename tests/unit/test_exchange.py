"""Jobs in other programs' formats: what is read back is what the store holds, to the bit."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from memspice.cli.waves import waves
from memspice.engines.rawfile import read_raw
from memspice.errors import ConfigError
from memspice.store import JobRecord, export_jobs, read_run
from tests.store_helpers import record, write

CYCLE = 100e-9
#: Four neurons from number 8 on, three cycles; 2 and 3 spike in successive cycles.
SPIKES = np.array([[0, 0, 1, 1], [1, 0, 1, 0], [0, 0, 1, 1]])
EVENTS = JobRecord(
    key="e" * 64,
    name="dense1/image0_outputs008_011",
    attributes={
        "first_output": 8, "cycles": 3, "burst": 1, "cycle_time": CYCLE,
        "write_start": 0.0, "write_stop": 40e-9, "read_start": 45e-9, "read_stop": 60e-9,
        "reset_start": 65e-9, "reset_stop": 95e-9,
    },
    events={
        "cycle": (np.repeat(np.arange(3), 4), "1"),
        "neuron": (np.tile(np.arange(4), 3), "1"),
        "spike": (SPIKES.ravel().astype(np.int8), "1"),
    },
)  # fmt: skip


@pytest.fixture
def stored(tmp_path: Path) -> JobRecord:
    """A job with awkward names and numbers, as it comes out of a run file."""
    job = record(points=500)
    awkward = np.array([5e-324, -0.0, 1 / 3, np.nextafter(1.0, 2.0), 1.7e308])
    signals = {**job.signals, "v(out)": (np.resize(awkward, 500), "V")}
    path = write(tmp_path / "run.h5", replace(job, signals=signals))
    with read_run(path) as run:
        return run.job(job.name)


def same(values: np.ndarray, others: np.ndarray) -> bool:
    return values.dtype == others.dtype and values.tobytes() == others.tobytes()


def test_npz_is_the_store_to_the_bit(stored: JobRecord, tmp_path: Path) -> None:
    export_jobs([stored], tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert same(found["time"], stored.time)
        for name, (values, unit) in stored.signals.items():
            assert same(found[name], values)
            assert f"{name} {unit}" in found["units"]
        for name, (values, _) in stored.events.items():
            assert same(found[f"events.{name}"], values)
        assert len(found.files) == 2 + len(stored.signals) + len(stored.events)


def test_raw_is_the_store_to_the_bit(stored: JobRecord, tmp_path: Path) -> None:
    export_jobs([stored], tmp_path / "a.raw")
    (plot,) = read_raw(tmp_path / "a.raw")
    assert plot.title == stored.name
    assert plot.variables == ("time", *stored.signals)
    assert plot.kinds == ("time", "voltage", "current", "voltage", "voltage")
    columns = [stored.time, *(values for values, _ in stored.signals.values())]
    assert same(plot.data, np.column_stack(columns))


def test_csv_has_all_digits(stored: JobRecord, tmp_path: Path) -> None:
    export_jobs([stored], tmp_path / "a.csv")
    header, *rows = csv.reader((tmp_path / "a.csv").read_text().splitlines())
    assert header[:2] == ["time [s]", "v(out) [V]"]
    assert same(np.array([float(row[0]) for row in rows]), stored.time)
    assert same(np.array([float(row[1]) for row in rows]), stored.signals["v(out)"][0])


def levels(text: str, at: float) -> dict[str, str]:
    """Level of every wire at a time [s]: a reader of VCD in ten lines."""
    names = {m[1]: m[2] for m in re.finditer(r"\$var wire 1 (\S+) (\S+) \$end", text)}
    (unit,) = re.findall(r"\$timescale 1 (\S+) \$end", text)
    found: dict[str, str] = {}
    for line in text.partition("$enddefinitions $end\n")[2].splitlines():
        if line.startswith("#") and int(line[1:]) * {"ps": 1e-12}[unit] > at:
            break
        if line[0] in "01":
            found[names[line[1:]]] = line[0]
    return found


@pytest.mark.parametrize("burst", [1, 3])
def test_vcd_shows_every_spike_in_its_cycle(tmp_path: Path, burst: int) -> None:
    facts = {**EVENTS.attributes, "burst": burst}
    export_jobs([replace(EVENTS, attributes=facts)], tmp_path / "a.vcd")
    text = (tmp_path / "a.vcd").read_text()
    before = 0 if burst == 1 else burst  # cycles of row pulses
    for cycle in range(3):
        start = (before + cycle) * CYCLE
        held = levels(text, start + 80e-9)
        assert [held[f"neuron{8 + n}"] for n in range(4)] == [str(s) for s in SPIKES[cycle]]
        assert (held["write"], held["read"], held["reset"]) == ("0", "0", "1")
        written = levels(text, start + 20e-9)
        assert {name for name, level in written.items() if level == "1"} == {"write"}
    assert text.endswith(f"#{(before + 3) * 100_000}\n")
    times = [int(at) for at in re.findall(r"^#(\d+)$", text, re.M)]
    assert times == sorted(set(times))


def test_wires_of_many_jobs_have_names_of_their_own(tmp_path: Path) -> None:
    jobs = [replace(EVENTS, name=f"dense1/window{number}") for number in range(40)]
    export_jobs(jobs, tmp_path / "a.vcd")
    symbols = re.findall(r"\$var wire 1 (\S+) ", (tmp_path / "a.vcd").read_text())
    assert len(symbols) == len(set(symbols)) == 40 * (4 + 3)
    assert {len(symbol) for symbol in symbols} == {1, 2}


def test_command_exports_named_signals(stored: JobRecord, tmp_path: Path) -> None:
    run, out = tmp_path / "run.h5", tmp_path / "new" / "a.npz"
    call = ["export", str(run), stored.name, "i(vdd)", "--out", str(out), "--parents"]
    found = CliRunner().invoke(waves, call, catch_exceptions=False)
    assert found.output == f"{out}: {out.stat().st_size:,} bytes\n"
    with np.load(out) as arrays:
        assert [name for name in arrays.files if name in stored.signals] == ["i(vdd)"]


@pytest.mark.parametrize(
    ("jobs", "file", "words"),
    [
        ([record()], "a.hdf", "no known suffix; use one of .csv, .npz, .raw, .vcd"),
        ([record(0), record(1)], "a.raw", "one job, not 2"),
        ([EVENTS], "a.npz", "has no waveform"),
        ([replace(EVENTS, events={})], "a.vcd", "no job named here has spikes"),
        ([replace(record(), signals={"v out": (np.zeros(30), "V")})], "a.raw", "has a space"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, jobs: list[JobRecord], file: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        export_jobs(jobs, tmp_path / file)
    assert list(tmp_path.iterdir()) == []
