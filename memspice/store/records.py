"""What a run is made of, and what is refused before anything is written."""

from __future__ import annotations

import difflib
import hashlib
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memspice.errors import StoreError
from memspice.jobs import sources_hash

#: Values of one signal or event column, and their unit ("V", "A", "1" where there is none).
Column = tuple[NDArray[Any], str]
Scalar = str | int | float | bool

#: Names that the store itself needs: attributes of a job, and the first part of a job's name.
RESERVED_ATTRIBUTES = frozenset({"NX_class", "default", "key", "sha256"})
PROVENANCE = "provenance"
#: Attribute ``status`` of a job without a result; its ``error`` and ``attempts`` say more.
FAILED = "failed"

# "validItemName" of the NeXus manual, Rules for Storing Data Items in NeXus Files.
VALID_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.]*[A-Za-z0-9_])?")


def now() -> str:
    """Return the time of day, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def installed_versions() -> dict[str, str]:
    """Return the versions of Python, memspice and the libraries that could change a number.

    ``memspice_sources`` tells apart what one version's number may not: changed code or models.
    """
    found = {"python": platform.python_version(), "memspice_sources": sources_hash()}
    for package in ("memspice", "numpy", "scipy", "h5py", "PySpice"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Provenance of a run: configuration, seed, engine, versions and command.

    Parameters
    ----------
    config : str
        The whole configuration, TOML or JSON text; its hash decides whether a run may be resumed.
    seed : int
        Root of every random draw.
    engine : mapping
        ``name``, ``version``, ``osdi``, ``klu`` of the engine that was probed.
    versions : mapping
        Package to version.
    command : str
        The command line.
    started : str
        ISO 8601 time of the first start.
    """

    config: str
    seed: int
    engine: Mapping[str, str | bool]
    versions: Mapping[str, str] = field(default_factory=installed_versions)
    command: str = ""
    started: str = field(default_factory=now)

    @property
    def config_sha256(self) -> str:
        """SHA-256 of the configuration's text."""
        return sha256(self.config)


@dataclass(frozen=True, kw_only=True, eq=False)
class JobRecord:
    """One job: a simulated deck, or one window of the surrogate.

    Parameters
    ----------
    key : str
        Content hash of everything that decides the result.
    name : str
        ``layer/window``; each part of letters, digits, ``_`` and ``.``.
    attributes : mapping
        Facts of the job in SI units; the unit of ``x``, where it has one, in ``x_units``.
    netlist, log : str
        The deck and the engine's output (or its end); may be empty.
    time : ndarray, shape (n_points,), [s]
        The solver's own time points, never decreasing; empty where no waveform is kept.
    signals : mapping
        Name to (values of shape (n_points,), unit); the first one is drawn on opening.
    events : mapping
        Column name to (values of shape (n_events,), unit): cycle, neuron, hazard, spike ...
    energy : mapping
        Component to joule; ``closure`` is a fraction of what was delivered.

    A job that failed for good is a record, too: with the attributes ``status`` = "failed",
    ``error`` and ``attempts``, and without events.
    """

    key: str
    name: str
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    netlist: str = ""
    log: str = ""
    time: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    signals: Mapping[str, Column] = field(default_factory=dict)
    events: Mapping[str, Column] = field(default_factory=dict)
    energy: Mapping[str, float] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the job has no result."""
        return self.attributes.get("status") == FAILED

    def select(self, names: Sequence[str]) -> dict[str, Column]:
        """Return the signals of these names in their order; all signals if none is named.

        Raises
        ------
        StoreError
            If the job has no such signal.
        """
        for name in names:
            if name not in self.signals:
                message = unknown_name(f"job '{self.name}'", "signal", name, list(self.signals))
                raise StoreError(message)
        return {name: self.signals[name] for name in names or self.signals}


@dataclass(frozen=True)
class JobInfo:
    """Sizes of a job, and its number of spikes (None where no ``spike`` column is kept).

    ``status`` is "done", or "failed" for a job without a result.
    """

    name: str
    key: str
    points: int
    signals: int
    events: int
    spikes: int | None
    status: str = "done"


def checked(record: JobRecord) -> JobRecord:
    """Return the record with plain values of the stored types.

    Waveforms and real event columns become float64; whole numbers and truth values stay.

    Raises
    ------
    StoreError
        If a name, type, shape or value cannot be stored, or a number is not finite.
    """
    where = f"job '{record.name}'"
    _check_names(record, where)
    time = _check_time(record, where)
    rows = np.size(next(iter(record.events.values()))[0]) if record.events else 0
    events = _check_columns(f"{where}: event column", record.events, rows)
    signals = _check_columns(f"{where}: signal", record.signals, time.size)
    return replace(
        record,
        attributes={k: check_scalar(f"{where}: {k}", v) for k, v in record.attributes.items()},
        time=time,
        signals={k: (v.astype(np.float64), unit) for k, (v, unit) in signals.items()},
        events=events,
        energy={k: _check_energy(f"{where}: energy '{k}'", v) for k, v in record.energy.items()},
    )


def check_scalar(where: str, value: object) -> Scalar:
    """Return a plain Python value that HDF5 can hold without loss.

    Raises
    ------
    StoreError
        If it is not text, a finite number of at most 64 bits, or a bool.
    """
    plain = value.item() if isinstance(value, np.generic) else value
    if not isinstance(plain, (str, int, float)):
        raise StoreError(f"{where} is a {type(value).__name__}; use text, a number or a bool")
    if isinstance(plain, str):
        check_text(where, plain)
    elif isinstance(plain, int) and not -(2**63) <= plain < 2**64:
        raise StoreError(f"{where} = {plain} does not fit 64 bits; store it as text")
    elif not np.isfinite(plain):
        raise StoreError(f"{where} = {plain} is not finite; find its cause, nothing was stored")
    return plain


def unknown_name(where: str, what: str, name: str, known: Sequence[str]) -> str:
    """Return the message for a name that is not there, with the nearest that are."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known[:3])
    words = f"{where} has no {what} '{name}'; it has {len(known)}"
    return f"{words}, nearest: {', '.join(near)}" if near else words


def check_text(where: str, text: str) -> None:
    """Refuse text that HDF5 would change.

    Raises
    ------
    StoreError
        If it holds a NUL or a byte that could not be decoded.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise StoreError(f"{where} is not valid Unicode ({error}); decode it as UTF-8") from error
    if "\0" in text:
        raise StoreError(f"{where} holds a NUL at index {text.index(chr(0))}; remove it")


def _check_energy(where: str, value: float) -> float:
    number = check_scalar(where, value)
    if isinstance(number, (str, bool)):
        raise StoreError(f"{where} = {number!r} is not a number of joules")
    return float(number)


def _check_names(record: JobRecord, where: str) -> None:
    parts = record.name.split("/")
    for name in [record.key, *parts, *record.attributes, *record.energy]:
        if not VALID_NAME.fullmatch(name):
            raise StoreError(f"{where}: '{name}' is no valid name: use letters, digits, '_', '.'")
    taken = {PROVENANCE}.intersection(parts) | {"time"}.intersection(record.signals)
    taken |= RESERVED_ATTRIBUTES.intersection(record.attributes)
    if taken:
        raise StoreError(f"{where}: the store itself uses the name {sorted(taken)}; choose another")
    check_text(f"{where}: netlist", record.netlist)
    check_text(f"{where}: log", record.log)
    for name, (_, unit) in [*record.signals.items(), *record.events.items()]:
        check_text(f"{where}: '{name}' [{unit}]", name + unit)


def _check_time(record: JobRecord, where: str) -> NDArray[np.float64]:
    where_time = f"{where}: time [s]"
    time = _check_values(where_time, record.time, np.size(record.time)).astype(np.float64)
    backward = np.flatnonzero(np.diff(time) < 0)
    if backward.size:
        index = int(backward[0])
        raise StoreError(f"{where_time} goes back from {time[index]} to {time[index + 1]} s")
    if bool(record.signals) != bool(time.size):
        raise StoreError(f"{where} has {len(record.signals)} signals and {time.size} time points")
    return time


def _check_columns(where: str, columns: Mapping[str, Column], length: int) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for name, (values, unit) in columns.items():
        array = _check_values(f"{where} '{name}'", values, length)
        found[name] = (array.astype(np.float64) if array.dtype.kind == "f" else array, unit)
    return found


def _check_values(where: str, values: object, length: int) -> NDArray[Any]:
    """Return a finite array of shape (length,) of real numbers or truth values."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf" or array.shape != (length,):
        raise StoreError(
            f"{where} has shape {array.shape} and type {array.dtype}; "
            f"it must be {length} real numbers in one dimension, like those beside it"
        )
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise StoreError(
            f"{where} has {bad.size} of {length} values that are not finite, the first "
            f"({array[bad[0]]}) at index {bad[0]}; find its cause, nothing of this job was stored"
        )
    return array
