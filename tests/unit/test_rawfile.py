"""A raw file is read whole or refused; nothing in between, and nothing but memspice's errors."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from memspice.engines import rawfile
from memspice.engines.rawfile import read_raw
from memspice.errors import EngineError, TruncatedOutput

TIMES = np.array([0.0, 0.5e-9, 1e-9])
VOLTAGES = np.array([0.0, -1.5, np.pi])


def raw_bytes(
    plotname: str = "Transient Analysis",
    names: tuple[str, ...] = ("time", "v(out)"),
    rows: np.ndarray | None = None,
    extra: str = "",
) -> bytes:
    """One plot as ngspice writes it, with its padded point count."""
    data = np.column_stack([TIMES, VOLTAGES]) if rows is None else rows
    variables = "".join(f"\t{index}\t{name}\tvoltage\n" for index, name in enumerate(names))
    header = (
        f"Title: a title: with a colon\nDate: Mon Jan  1 00:00:00  2024\n{extra}"
        f"Plotname: {plotname}\nFlags: real\nNo. Variables: {len(names)}\n"
        f"No. Points: {len(data)}       \nVariables:\n{variables}Binary:\n"
    )
    return header.encode() + data.astype(np.float64).tobytes()


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "out.raw"


def test_values_names_and_title_come_back_exactly(raw: Path) -> None:
    raw.write_bytes(raw_bytes())
    (plot,) = read_raw(raw)
    assert plot.title == "a title: with a colon"
    assert plot.plotname == "Transient Analysis"
    assert plot.variables == ("time", "v(out)")
    np.testing.assert_array_equal(plot.data, np.column_stack([TIMES, VOLTAGES]))


def test_data_cannot_be_changed_by_accident(raw: Path) -> None:
    raw.write_bytes(raw_bytes())
    (plot,) = read_raw(raw)
    with pytest.raises(ValueError, match="read-only"):
        plot.data[0, 0] = 1.0


def test_several_plots_keep_their_order(raw: Path) -> None:
    rows = np.array([[7.0]])
    raw.write_bytes(raw_bytes("Operating Point", ("v(a)",), rows) + raw_bytes())
    first, second = read_raw(raw)
    assert (first.plotname, second.plotname) == ("Operating Point", "Transient Analysis")
    np.testing.assert_array_equal(first.data, rows)
    np.testing.assert_array_equal(second.data[:, 1], VOLTAGES)


def test_header_lines_of_newer_engines_are_accepted(raw: Path) -> None:
    raw.write_bytes(raw_bytes(extra="Command: version 99\n"))
    assert len(read_raw(raw)) == 1


def test_bytes_that_look_like_a_header_stay_data(raw: Path) -> None:
    tricky = np.frombuffer(b"Title:\n\nBinary:\n", dtype=np.float64).reshape(1, 2)
    raw.write_bytes(raw_bytes(rows=tricky))
    (plot,) = read_raw(raw)
    np.testing.assert_array_equal(plot.data, tricky)


def test_every_truncation_is_refused(raw: Path) -> None:
    first, second = raw_bytes("Operating Point", ("v(a)",), np.array([[7.0]])), raw_bytes()
    whole = first + second
    for length in range(len(whole)):
        raw.write_bytes(whole[:length])
        if length == len(first):  # a whole file of one plot
            assert len(read_raw(raw)) == 1
            continue
        with pytest.raises(TruncatedOutput, match=r"out\.raw"):
            read_raw(raw)


def test_damaged_bytes_never_escape_as_foreign_errors(raw: Path) -> None:
    rng = np.random.default_rng(1)
    whole = bytearray(raw_bytes())
    for _ in range(500):
        damaged = bytearray(whole)
        damaged[rng.integers(whole.index(b"Binary"))] = rng.integers(256)
        raw.write_bytes(damaged)
        try:
            plots = read_raw(raw)
        except EngineError:
            continue
        # a changed letter in the title or a name: the numbers are still all there
        assert [plot.data.shape for plot in plots] == [(3, 2)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"No. Points: 3 ", b"No. Points: 0 ", "No. Points is 0"),
        (b"No. Points: 3 ", b"No. Points: 4 ", "64 bytes announced"),
        (b"No. Points: 3 ", b"No. Points: 2 ", "should start a plot"),
        (b"No. Points: 3 ", b"No. Points: -3 ", "not a count"),
        (b"No. Points: 3 ", b"No. Points: 999999999999999 ", "bytes announced"),
        (b"No. Points: 3 ", b"No. Points: 99999999999999999999 ", "not a count"),
        (b"No. Points: 3 ", b"No. Points: \xb3 ", "not a count"),
        (b"No. Variables: 2", b"No. Variables: 3", "variable 2 of 3"),
        (b"No. Variables: 2", b"No. Variables: 1", "expected 'Binary:'"),
        (b"No. Variables: 2", b"No. Variables: 0", "No. Variables is 0"),
        (b"\t1\tv(out)", b"\t7\tv(out)", "variable 1 of 2"),
        (b"Flags: real\n", b"", "lacks Flags"),
        (b"Flags: real\n", b"no key here\n", "not a header line"),
        (b"Title:", b"Tutle:", "should start a plot"),
        (b"Flags: real\n", b"Flags: real\nFlags: real\n", "'Flags' twice"),
        (b"\t1\tv(out)", b"\t1\ttime", "'time' is there twice"),
    ],
)
def test_nonsense_is_named(raw: Path, old: bytes, new: bytes, message: str) -> None:
    whole = raw_bytes()
    assert whole.count(old) == 1
    raw.write_bytes(whole.replace(old, new))
    with pytest.raises(TruncatedOutput, match=message):
        read_raw(raw)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"Flags: real", b"Flags: complex", "is complex"),
        (b"Flags: real", b"Flags: real unpadded", "unknown"),
        (b"Binary:", b"Values:", "values are text"),
    ],
)
def test_whole_files_of_another_kind_are_not_called_truncated(
    raw: Path, old: bytes, new: bytes, message: str
) -> None:
    raw.write_bytes(raw_bytes().replace(old, new))
    with pytest.raises(EngineError, match=message) as caught:
        read_raw(raw)
    assert not isinstance(caught.value, TruncatedOutput)


@pytest.mark.parametrize("tail", [b"\0", b"garbage", b"Title: next\n", bytes(4096)])
def test_bytes_after_the_last_plot_are_refused(raw: Path, tail: bytes) -> None:
    raw.write_bytes(raw_bytes() + tail)
    with pytest.raises(TruncatedOutput):
        read_raw(raw)


def test_an_endless_header_is_refused(raw: Path) -> None:
    raw.write_bytes(b"Title: x\n" + b"".join(b"Key%d: value\n" % n for n in range(10_000)))
    with pytest.raises(TruncatedOutput, match="lacks"):
        read_raw(raw)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TruncatedOutput, match="does not exist"):
        read_raw(tmp_path / "nothing.raw")
    with pytest.raises(TruncatedOutput, match="is a folder"):
        read_raw(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="there are no such things")
def test_what_is_no_file_is_refused_without_waiting(raw: Path, tmp_path: Path) -> None:
    (tmp_path / "other.raw").write_bytes(raw_bytes())
    raw.symlink_to(tmp_path / "other.raw")
    with pytest.raises(TruncatedOutput, match="is a link"):
        read_raw(raw)
    raw.unlink()
    os.mkfifo(raw)
    with pytest.raises(TruncatedOutput, match="is a pipe"):
        read_raw(raw)


def test_a_huge_file_is_refused_unread(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw.write_bytes(raw_bytes())
    monkeypatch.setattr(rawfile, "SIZE_LIMIT", raw.stat().st_size)
    assert len(read_raw(raw)) == 1
    monkeypatch.setattr(rawfile, "SIZE_LIMIT", raw.stat().st_size - 1)
    with pytest.raises(EngineError, match="above the limit"):
        read_raw(raw)
