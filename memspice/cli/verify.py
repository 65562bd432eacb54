"""``memspice verify``: the same decks on every engine, and a table of who differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import click

from memspice.cli.bar import shown_progress
from memspice.cli.output import first_problem, report
from memspice.engines import ENGINES, find_engine, installed_engines
from memspice.engines.base import Engine
from memspice.engines.osdi import has_compiler
from memspice.errors import ConfigError, EngineError, EngineNotFound, MemspiceError
from memspice.inputs import read_input
from memspice.outputs import check_file, write_text
from memspice.quantities import format_si
from memspice.verification.circuits import verify_cases
from memspice.verification.compare import CaseResult, verification_json, verify
from memspice.verification.models import ModelCheck, check_models

_BEGIN, _END = "<!-- verify -->", "<!-- /verify -->"
_COLUMNS = "{:16}{:8}{:>9}{:>9}{:>8}{:>7}{:>7}{:>8}{:>8}"
_HEADER = _COLUMNS.format(
    "deck", "engine", "charge", "energy", "apart", "spikes", "margin", "hazard", "time"
)


@click.command("verify")
@click.option(
    "--engine",
    "names",
    multiple=True,
    type=click.Choice(sorted(ENGINES)),
    help="Only this engine; may be repeated.  [default: all that are found]",
)
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="Page to update.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify_command(names: Sequence[str], page: Path | None, as_json: bool) -> None:
    """Run the same decks on every engine and compare.

    From an RC step to a whole layer: charge and energy of every port and the course of every state
    within 0.5 %, spikes one by one, hazard integrals within 1 %. The Verilog-A and behavioural form
    of each model must also have the same terminals, parameters and defaults.
    """
    if page:
        check_file(page)
    before, after = _around_table(page) if page else ("", "")
    engines, missing = _engines(names)
    models = check_models() if has_compiler() else []
    with shown_progress(desc="verify") as progress:
        results = verify(verify_cases(), engines, progress)
    complaints = _complaints(results, models)
    table = _table(results, engines, models)
    content = {
        "engines": {name: engine.info.as_json() for name, engine in engines.items()},
        "missing": missing,
        "models": [check.as_json() for check in models],
        "agrees": not complaints,
        **verification_json(results),
    }
    problem = _problem(complaints, engines, missing)
    if page and not problem:
        block = before + table_block(table) + after
        problem = first_problem(partial(write_text, page, block))
    report(content, lambda: table, as_json=as_json, problem=problem)


def _problem(
    complaints: Sequence[str], engines: Mapping[str, Engine], missing: Mapping[str, str]
) -> MemspiceError | None:
    """Why the engines do not agree, if they do not."""
    if complaints:
        return EngineError("\n".join(["not everything agrees:", *complaints]))
    if len(engines) < 2:
        reasons = "; ".join(missing.values()) or "name two, or none"
        return EngineNotFound(f"one engine agrees with itself only: {reasons}")
    return None


def _around_table(page: Path) -> tuple[str, str]:
    """Text of a page before and behind its table; without both marks there is no place for one."""
    try:
        text = read_input(page, 1 << 26, ConfigError).decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{page} is not in UTF-8 ({error}); name a page") from error
    if text.count(_BEGIN) != 1 or text.count(_END) != 1 or text.index(_BEGIN) > text.index(_END):
        raise ConfigError(f"{page} needs one {_BEGIN} and behind it one {_END} for the table")
    return text[: text.index(_BEGIN)], text[text.index(_END) + len(_END) :]


def table_block(table: str) -> str:
    """Table as it stands in a page, between its marks."""
    indented = "\n".join(f"    {line}".rstrip() for line in table.splitlines())
    return f"{_BEGIN}\n\n{indented}\n\n{_END}"


def _engines(names: Sequence[str]) -> tuple[dict[str, Engine], dict[str, str]]:
    """Engines by name, and why others were not found; one that is asked for must be there."""
    return ({name: find_engine(name) for name in names}, {}) if names else installed_engines()


def _complaints(results: Sequence[CaseResult], models: Sequence[ModelCheck]) -> list[str]:
    return [
        *(f"model {check.name}: {check.complaint}" for check in models if check.complaint),
        *(f"deck {result.case.name}: {text}" for result in results for text in result.complaints),
    ]


def _table(
    results: Sequence[CaseResult], engines: Mapping[str, Engine], models: Sequence[ModelCheck]
) -> str:
    lines = [_HEADER]
    for result in results:
        lines += [_row(result, number) for number in range(len(result.measurements))]
        lines += [f"{result.case.name:16}{engine:8} failed" for engine in result.failures]
    for name, engine in engines.items():
        info = engine.info
        abilities = [word.upper() for word in ("osdi", "klu") if getattr(info, word)]
        lines.append(f"{name} {info.version}, {' and '.join(abilities) or 'no OSDI, no KLU'}")
    agreeing = sum(not check.complaint for check in models)
    lines.append(f"{agreeing} of {len(models)} models: same terminals, parameters and defaults")
    events = [d.events for result in results for d in result.differences if d.events]
    count, differing = sum(e.events for e in events), sum(e.mismatches for e in events)
    lines.append(
        f"spikes: {differing} of {count} comparisons differ, worst margin "
        f"{max((e.worst_margin for e in events), default=0.0):.2%}"
    )
    return "\n".join(lines)


def _row(result: CaseResult, number: int) -> str:
    found = result.measurements[number]
    own = [d for d in result.differences if d.engine == found.engine]
    apart = max((d.apart for d in own if d.where), default=None)
    events = [d.events for d in own if d.events]
    return _COLUMNS.format(
        result.case.name if number == 0 else "",
        found.engine,
        format_si(float(found.charge.sum()), "C"),
        format_si(float(found.energy.sum()), "J"),
        "" if apart is None else f"{apart:.3%}",
        "-" if found.spikes is None else f"{int(found.spikes.sum())}/{found.spikes.size}",
        f"{max(e.worst_margin for e in events):.2%}" if events else "",
        f"{max(e.hazard_deviation for e in events):.3%}" if events else "",
        f"{found.seconds:.2f} s",
    )
