"""Jobs of a run in formats that other programs read: CSV, NumPy's NPZ, ngspice's raw, VCD.

The suffix of a file says which. The first three hold the waveforms of one job, every float64 to the
bit; VCD [1]_ holds the spikes of any number of jobs, for a viewer of digital signals (GTKWave).

References
----------
.. [1] IEEE Std 1364-2005, section 18, "Value change dump (VCD) files".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from memspice.errors import ConfigError
from memspice.outputs import write_bytes, writing
from memspice.store.records import JobRecord
from memspice.store.vcd import vcd_text

#: What ngspice calls a variable of a unit.
_RAW_KINDS = {"s": "time", "V": "voltage", "A": "current", "W": "power"}


def export_jobs(records: Sequence[JobRecord], path: Path) -> None:
    """Write jobs to a file whose suffix names the format.

    Parameters
    ----------
    records : sequence of JobRecord
        One job for ``.csv``, ``.npz`` and ``.raw``; any number for ``.vcd``.
    path : Path
        Replaced when it exists.

    Raises
    ------
    ConfigError
        If the suffix is unknown, the format holds one job only, or there is nothing to write.
    StoreError
        If the file cannot be written.
    """
    check_format(path)
    content = _FORMATS[path.suffix](records)
    with writing(path, lambda: "Choose a folder you may write to"):
        write_bytes(path, content)


def check_format(path: Path) -> None:
    """Refuse a file whose suffix names no format.

    Raises
    ------
    ConfigError
        With the suffixes that do.
    """
    if path.suffix not in _FORMATS:
        raise ConfigError(f"{path} has no known suffix; use one of {', '.join(_FORMATS)}")


def csv_text(record: JobRecord) -> str:
    """Waveforms as a table: time first, every number with all its digits, units in the header."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    units = [f"{name} [{unit}]" for name, (_, unit) in record.signals.items()]
    writer.writerow(["time [s]", *units])
    writer.writerows(_table(record).tolist())
    return buffer.getvalue()


def _csv(records: Sequence[JobRecord]) -> bytes:
    return csv_text(_only(records)).encode()


def _npz(records: Sequence[JobRecord]) -> bytes:
    """Arrays ``time``, one a signal, ``events.COLUMN``; and ``units``, "NAME UNIT" of each."""
    record = _only(records)
    columns = {"time": (record.time, "s"), **record.signals}
    columns |= {f"events.{name}": column for name, column in record.events.items()}
    units = np.array([f"{name} {unit}" for name, (_, unit) in columns.items()])
    buffer = io.BytesIO()
    arrays = {name: values for name, (values, _) in columns.items()}
    np.savez_compressed(buffer, **arrays, units=units)  # type: ignore[arg-type]
    return buffer.getvalue()


def _raw(records: Sequence[JobRecord]) -> bytes:
    """Header text, then rows of float64, as ``ngspice -r`` writes them."""
    record = _only(records)
    columns = {"time": "s", **{name: unit for name, (_, unit) in record.signals.items()}}
    if odd := [name for name in columns if len(name.split()) != 1]:
        raise ConfigError(f"signal {odd[0]!r} has a space, a raw file's names have none: use .npz")
    lines = [
        f"Title: {record.name}",
        "Plotname: Transient Analysis",
        "Flags: real",
        f"No. Variables: {len(columns)}",
        f"No. Points: {record.time.size}",
        "Command: ngspice",  # readers of several dialects tell them apart by this line
        "Variables:",
        *(
            f"\t{number}\t{name}\t{_RAW_KINDS.get(unit, 'notype')}"
            for number, (name, unit) in enumerate(columns.items())
        ),
        "Binary:\n",
    ]
    return "\n".join(lines).encode() + _table(record).tobytes()


def _vcd(records: Sequence[JobRecord]) -> bytes:
    return vcd_text(records).encode()


#: How a file of each suffix is written.
_FORMATS = {".csv": _csv, ".npz": _npz, ".raw": _raw, ".vcd": _vcd}


def _only(records: Sequence[JobRecord]) -> JobRecord:
    if len(records) != 1:
        raise ConfigError(
            f"a file of this kind holds the waveforms of one job, not {len(records)}: name the job "
            "(memspice waves ls lists them), or write the spikes of all to a .vcd file"
        )
    if not records[0].signals:
        raise ConfigError(
            f"'{records[0].name}' has no waveform: name a job that has, or simulate with --keep"
        )
    return records[0]


def _table(record: JobRecord) -> np.ndarray:
    return np.column_stack([record.time, *(values for values, _ in record.signals.values())])
