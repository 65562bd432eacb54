"""Reader of SPICE binary raw files (ngspice, `-r`): header text, then rows of float64.

A raw file is believed only as a whole: a plot without points, a row too few or a byte too many
is an error, because ngspice leaves such files behind when it dies or when the disk is full.  What
stands in its place (a pipe, a device, a link to another file) is not opened or not read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from memspice.errors import EngineError, TruncatedOutput
from memspice.inputs import open_input

#: Longest header line accepted, [bytes]; the longest real ones are node names.
LINE_LIMIT = 65536
#: Most header lines accepted before ``Variables:``; ngspice writes about six.
HEADER_LIMIT = 64
#: Largest raw file read, [bytes]; a layer of 128 x 128 cells with every signal takes 3 GB.
SIZE_LIMIT = 16 * 2**30


@dataclass(frozen=True, eq=False)
class Plot:
    """One analysis in a raw file.

    Parameters
    ----------
    title, plotname : str
        The deck's first line, and for instance ``Transient Analysis``.
    variables : tuple of str
        Names as the engine wrote them; no two alike.
    kinds : tuple of str
        What the engine calls each one: ``time``, ``voltage``, ``current``, ``power``, ``notype``.
    data : ndarray, shape (points, variables), SI units, read-only
    """

    title: str
    plotname: str
    variables: tuple[str, ...]
    kinds: tuple[str, ...]
    data: NDArray[np.float64]


def read_raw(path: Path) -> list[Plot]:
    """Read every plot of a binary raw file.

    Parameters
    ----------
    path : Path
        File in the machine's own byte order with real values.

    Returns
    -------
    list of Plot
        In file order, at least one.

    Raises
    ------
    TruncatedOutput
        If the file is missing, empty, a link, pipe or device, ends early, has a plot without
        points, a header line or a variable twice, or holds bytes that do not belong to any plot.
    EngineError
        If it is larger than `SIZE_LIMIT`, or whole but of a kind not read here: complex values,
        text values, unknown flags.
    """
    try:
        with open_output(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > SIZE_LIMIT:
                raise EngineError(
                    f"{path} has {size / 2**30:.1f} GiB, above the limit of "
                    f"{SIZE_LIMIT / 2**30:.0f} GiB; save fewer signals, or allow longer steps"
                )
            if size == 0:
                raise TruncatedOutput(f"{path}: the raw file is empty")
            plots = []
            while file.tell() < size:
                plots.append(_read_plot(file, path, size))
    except OSError as error:
        raise TruncatedOutput(f"{path}: cannot be read as a raw file ({error.strerror})") from error
    return plots


def open_output(path: Path) -> BinaryIO:
    """Open a file that a program was to write; refuse what it may have put in its place.

    Parameters
    ----------
    path : Path

    Returns
    -------
    file
        Open for reading.

    Raises
    ------
    TruncatedOutput
        If it is missing, a link, pipe, socket, device or folder, or cannot be opened.
    """
    if path.is_symlink():
        raise TruncatedOutput(f"{path} is a link, not the file that the engine was to write")
    return open_input(path, TruncatedOutput)


def _read_plot(file: BinaryIO, path: Path, size: int) -> Plot:
    header = _read_header(file, path)
    n_variables = _count(header, "No. Variables", path)
    n_points = _count(header, "No. Points", path)
    _check_flags(header, path)
    variables, kinds = _read_variables(file, path, n_variables)
    marker = _line(file, path)
    if marker == "Values:":
        raise EngineError(f"{path}: values are text; run the engine with binary raw files")
    if marker != "Binary:":
        raise TruncatedOutput(f"{path}: expected 'Binary:' after the variables, found {marker!r}")
    needed, there = n_points * n_variables * 8, size - file.tell()
    if needed > there:
        raise TruncatedOutput(
            f"{path}: {needed} bytes announced ({n_points} points of {n_variables} variables), "
            f"{there} are there"
        )
    data = np.fromfile(file, dtype=np.float64, count=n_points * n_variables)
    if data.size != n_points * n_variables:
        raise TruncatedOutput(f"{path}: {data.size * 8} of {needed} bytes could be read")
    data.flags.writeable = False
    rows = data.reshape(n_points, n_variables)
    return Plot(header.get("Title", ""), header["Plotname"], variables, kinds, rows)


def _line(file: BinaryIO, path: Path) -> str:
    raw = file.readline(LINE_LIMIT)
    if not raw.endswith(b"\n"):
        raise TruncatedOutput(
            f"{path}: the header ends within a line (byte {file.tell()}): {raw[:40]!r}"
        )
    return raw.decode("utf-8", errors="replace").strip()


def _read_header(file: BinaryIO, path: Path) -> dict[str, str]:
    """``Key: value`` lines up to ``Variables:``; unknown keys of newer engines are kept."""
    start, header = file.tell(), dict[str, str]()
    found = file.read(len(b"Title:"))
    if found != b"Title:":
        raise TruncatedOutput(
            f"{path}: byte {start} should start a plot with 'Title:', found {found!r}"
        )
    file.seek(start)
    for _ in range(HEADER_LIMIT):
        line = _line(file, path)
        key, colon, value = line.partition(":")
        if line == "Variables:":
            break
        if not colon:
            raise TruncatedOutput(f"{path}: {line[:40]!r} is not a header line 'key: value'")
        if key in header:
            raise TruncatedOutput(f"{path}: the header has {key[:40]!r} twice")
        header[key] = value.strip()
    missing = {"Plotname", "Flags", "No. Variables", "No. Points"} - header.keys()
    if missing:
        raise TruncatedOutput(f"{path}: the header lacks {', '.join(sorted(missing))}")
    return header


def _count(header: dict[str, str], key: str, path: Path) -> int:
    text = header[key]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise TruncatedOutput(f"{path}: {key} is {text!r}, not a count")
    if int(text) == 0:
        raise TruncatedOutput(f"{path}: {key} is 0: the run died before its end")
    return int(text)


def _check_flags(header: dict[str, str], path: Path) -> None:
    flags = header["Flags"]
    if flags == "complex":
        raise EngineError(f"{path}: {header['Plotname']!r} is complex; only real plots are read")
    if flags != "real":
        raise EngineError(f"{path}: flags {flags!r} are unknown; 'real' is expected")


def _read_variables(
    file: BinaryIO, path: Path, count: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and kinds, in the order of the columns."""
    names: dict[str, str] = {}
    for index in range(count):
        fields = _line(file, path).split()
        if len(fields) != 3 or fields[0] != str(index):
            raise TruncatedOutput(
                f"{path}: variable {index} of {count} should read 'index name type', "
                f"found {' '.join(fields)[:40]!r}"
            )
        if fields[1] in names:
            raise TruncatedOutput(f"{path}: the variable {fields[1][:40]!r} is there twice")
        names[fields[1]] = fields[2]
    return tuple(names), tuple(names.values())
