"""``memspice waves``: look at what a run stored, down to the waveform and the netlist."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

import memspice as ms
from memspice.cli.options import parents_option
from memspice.cli.output import emit_list
from memspice.outputs import check_file, printable
from memspice.store import (
    Column,
    JobRecord,
    RunFile,
    check_format,
    csv_text,
    export_jobs,
    read_run,
)

_RUN = click.argument("run", type=click.Path(path_type=Path))
_JOB = click.argument("job")
_SIGNALS = click.argument("signals", nargs=-1)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_PREFIXES = ("a", "f", "p", "n", "u", "m", "", "k", "M", "G", "T")
#: What ``--keep`` has kept, in words.
_KEPT = {
    "none": "none (--keep none)",
    "sample": "one neuron of each job (--keep all, or --neurons, for more)",
    "all": "every neuron",
}
_DRAWN = 8  # signals of one unit drawn where none are named


@click.group()
def waves() -> None:
    """Look at stored waveforms, events, energies and netlists."""


@waves.command("ls")
@_RUN
@click.argument("job", required=False)
@_JSON
def list_jobs(run: Path, job: str | None, as_json: bool) -> None:
    """List the jobs of RUN, or the signals of one JOB."""
    with read_run(run) as stored:
        if job is None:
            _list_jobs(stored, as_json)
        else:
            record = stored.job(job)
            signals = [_range(name, column) for name, column in record.signals.items()]
            found = {"job": job, "points": record.time.size, "signals": signals}
            emit_list(json.dumps(found) if as_json else _signal_table(record))


@waves.command("show")
@_RUN
@_JOB
@_SIGNALS
@click.option("--csv", "as_csv", is_flag=True, help="Print the values, all digits, SI units.")
@click.option("--netlist", is_flag=True, help="Print the netlist that was simulated.")
@click.option("--log", is_flag=True, help="Print the engine's log.")
@_JSON
def show(
    run: Path,
    job: str,
    signals: tuple[str, ...],
    as_csv: bool,
    netlist: bool,
    log: bool,
    as_json: bool,
) -> None:
    """Show a JOB of RUN, or some of its SIGNALS.

    Without an option: attributes, energies, events and the range of every signal.
    """
    if as_csv + netlist + log + as_json > 1:
        raise click.UsageError("--csv, --netlist, --log and --json exclude one another")
    with read_run(run) as stored:
        record = stored.job(job)
    columns = record.select(signals)
    if as_csv:
        emit_list(csv_text(replace(record, signals=columns)).rstrip("\n"))
    elif netlist or log:
        emit_list((record.netlist if netlist else record.log).rstrip("\n"))
    elif as_json:
        emit_list(json.dumps(_as_json(record, columns)))
    else:
        emit_list(_as_text(record, columns))


@waves.command("plot")
@_RUN
@_JOB
@_SIGNALS
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Image to write.")
@parents_option
@_JSON
def plot(
    run: Path, job: str, signals: tuple[str, ...], out: Path, parents: bool, as_json: bool
) -> None:
    """Draw SIGNALS of a JOB of RUN.

    An axis for signals alike; the first few signals of each unit if none is named.
    """
    check_file(out, parents=parents)
    with read_run(run) as stored:
        record = stored.job(job)
    columns = record.select(signals)
    drawn = columns if signals else _first_of_each_unit(columns)
    ms.plot.save(ms.plot.signals(record, drawn), out)
    left_out = len(columns) - len(drawn)
    if as_json:
        emit_list(json.dumps({"out": str(out), "signals": list(drawn), "left_out": left_out}))
    else:
        more = f"; {left_out} more not drawn, name those you want" if left_out else ""
        emit_list(f"{out}: {len(drawn)} signals{more}")


@waves.command("export")
@_RUN
@click.argument("job", required=False)
@_SIGNALS
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write.")
@parents_option
@_JSON
def export(
    run: Path,
    job: str | None,
    signals: tuple[str, ...],
    out: Path,
    parents: bool,
    as_json: bool,
) -> None:
    """Write a JOB of RUN, or some of its SIGNALS, for another program.

    The suffix of --out says how: .csv, .npz (NumPy) or .raw (ngspice) with the waveforms of one
    job, .vcd (GTKWave) with its spikes; with those of all jobs if none is named.
    """
    check_format(out)
    check_file(out, parents=parents)
    with read_run(run) as stored:
        records = [stored.job(name) for name in ([job] if job else _names(stored))]
    if job:
        records = [replace(record, signals=record.select(signals)) for record in records]
    export_jobs(records, out)
    found = {"out": str(out), "bytes": out.stat().st_size, "jobs": [each.name for each in records]}
    emit_list(json.dumps(found) if as_json else f"{out}: {found['bytes']:,} bytes")


@waves.command("view")
@_RUN
@click.argument("jobs", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), help="Page to write; RUN.html by default.")
@click.option("--open", "opened", is_flag=True, help="Open it in the browser.")
@parents_option
@_JSON
def view(
    run: Path, jobs: tuple[str, ...], out: Path | None, opened: bool, parents: bool, as_json: bool
) -> None:
    """Write a page to look at RUN, or at some of its JOBS, in a browser.

    One HTML file that needs nothing else: pick layer, neuron and cycle, zoom, read values under the
    cursor, see the spikes of the circuit over those of the closed form.
    """
    page = out or run.with_suffix(".html")
    check_file(page, parents=parents)
    with read_run(run) as stored:
        fast = ms.load(run).fast_events if "result" in stored.summary else None
        ms.report.write_viewer(page, stored, jobs, fast)
    if opened:
        click.launch(str(page))
    found = {"out": str(page), "bytes": page.stat().st_size}
    emit_list(json.dumps(found) if as_json else f"{page}: open it in a browser")


# --- what is asked for ----------------------------------------------------------------------


def _first_of_each_unit(columns: Mapping[str, Column]) -> dict[str, Column]:
    counts: dict[str, int] = {}
    found: dict[str, Column] = {}
    for name, (values, unit) in columns.items():
        counts[unit] = counts.get(unit, 0) + 1
        if counts[unit] <= _DRAWN:
            found[name] = (values, unit)
    return found


def _range(name: str, column: Column) -> dict[str, Any]:
    values, unit = column
    low, high = float(np.min(values)), float(np.max(values))
    first, last = float(values[0]), float(values[-1])
    return {"name": name, "unit": unit, "min": low, "max": high, "first": first, "last": last}


def _as_json(record: JobRecord, columns: Mapping[str, Column]) -> dict[str, Any]:
    spikes = record.events.get("spike")
    return {
        "job": record.name,
        "key": record.key,
        "attributes": dict(record.attributes),
        "energy": dict(record.energy),
        "points": record.time.size,
        "signals": [_range(name, column) for name, column in columns.items()],
        "events": {"count": _rows(record), "columns": list(record.events)},
        "spikes": None if spikes is None else int(np.sum(spikes[0])),
        "netlist_lines": len(record.netlist.splitlines()),
    }


def _names(stored: RunFile) -> list[str]:
    return [info.name for info in stored.jobs()]


def _rows(record: JobRecord) -> int:
    return len(next(iter(record.events.values()))[0]) if record.events else 0


# --- how it is written ----------------------------------------------------------------------


def _quantity(value: float, unit: str) -> str:
    """Return a value with four digits and an engineering prefix."""
    value += 0.0  # -0.0 becomes 0.0
    power = int(f"{value:.3e}".split("e")[1]) // 3 * 3
    if unit == "1" or not -18 <= power <= 12:
        return f"{value:.4g}" if unit == "1" else f"{value:.4g} {unit}"
    return f"{value / 10.0**power:.4g} {_PREFIXES[power // 3 + 6]}{unit}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns, numbers to the right; the last, a name, may be of any length."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  ".join([*(cell.rjust(w) for cell, w in zip(line[:-1], widths, strict=False)), line[-1]])
        for line in lines
    )


def _list_jobs(stored: RunFile, as_json: bool) -> None:
    jobs = stored.jobs()
    if as_json:
        found = {
            "run": str(stored.path),
            "status": stored.status,
            "summary": stored.summary,
            "kept": stored.kept,
            "jobs": [asdict(job) for job in jobs],
        }
        emit_list(json.dumps(found))
        return
    engine = stored.provenance.engine
    who = f"{engine.get('name', 'no engine')} {engine.get('version', '')}".strip()
    head = printable(f"{stored.path}: {stored.status}, {len(jobs)} jobs, {who}")
    rows = [
        (
            str(job.points),
            str(job.signals),
            str(job.events),
            "-" if job.spikes is None else str(job.spikes),
            job.name if job.status == "done" else f"{job.name}  {job.status.upper()}",
        )
        for job in jobs
    ]
    if stored.kept is not None:
        head += f"\nwaveforms kept: {_kept_words(stored.kept)}"
    emit_list(f"{head}\n\n{_table(('POINTS', 'SIGNALS', 'EVENTS', 'SPIKES', 'JOB'), rows)}")


def _kept_words(kept: str | Sequence[int]) -> str:
    return _KEPT[kept] if isinstance(kept, str) else f"neurons {', '.join(map(str, kept))}"


def _signal_table(record: JobRecord, columns: Mapping[str, Column] | None = None) -> str:
    shown = record.signals if columns is None else columns
    if not shown:
        return "no waveforms are kept of this job"
    facts = [_range(name, column) for name, column in shown.items()]
    rows = [
        [
            *(_quantity(fact[k], fact["unit"]) for k in ("min", "max", "first", "last")),
            printable(fact["name"]),
        ]
        for fact in facts
    ]
    points = record.time.size
    span = f"{_quantity(record.time[0], 's')} to {_quantity(record.time[-1], 's')}"
    table = _table(("MIN", "MAX", "FIRST", "LAST", "SIGNAL"), rows)
    return f"{points} points, {span}\n\n{table}"


def _as_text(record: JobRecord, columns: Mapping[str, Column]) -> str:
    facts = [
        f"  {name} = {printable(_fact(record, name))}"
        for name in record.attributes
        if not (name.endswith("_units") and name.removesuffix("_units") in record.attributes)
    ]
    parts = [record.name, *([f"attributes\n{chr(10).join(facts)}"] if facts else [])]
    if record.energy:
        rows = [(_energy(name, value), name) for name, value in record.energy.items()]
        parts.append(_table(("ENERGY", "COMPONENT"), rows))
    if record.events:
        parts.append(f"{_rows(record)} events: {printable(', '.join(record.events))}")
    parts.append(_signal_table(record, columns))
    if record.netlist:
        parts.append(f"netlist of {len(record.netlist.splitlines())} lines: see --netlist")
    return "\n\n".join(parts)


def _fact(record: JobRecord, name: str) -> str:
    value, unit = record.attributes[name], record.attributes.get(f"{name}_units")
    if isinstance(value, float) and isinstance(unit, str):
        return _quantity(value, unit)
    return str(value)


def _energy(name: str, value: float) -> str:
    return f"{value:.3%}" if name == "closure" else _quantity(value, "J")
