"""``memspice verify``: the same decks on every engine, and a table of who differs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from tqdm import tqdm

from memspice.cli_options import stages
from memspice.engines import ENGINES, find_engine
from memspice.engines.base import Engine
from memspice.errors import EngineError, EngineNotFound
from memspice.experiment.setup import engine_record
from memspice.quantities import format_si
from memspice.store.files import writing
from memspice.verification.circuits import verify_cases
from memspice.verification.compare import CaseResult, verification_json, verify
from memspice.verification.models import ModelCheck, check_models

_BEGIN, _END = "<!-- verify -->", "<!-- /verify -->"
_COLUMNS = "{:16}{:8}{:>9}{:>7}{:>9}{:>7}{:>7}{:>7}{:>8}"
_HEADER = _COLUMNS.format(
    "deck", "engine", "charge", "apart", "energy", "apart", "spikes", "margin", "time"
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

    From an RC step to a whole layer: charge and energy of every port within 0.5 %, spikes one by
    one. The Verilog-A and behavioural form of each model must also have the same terminals,
    parameters and defaults.
    """
    engines, missing = _engines(names)
    models = check_models()
    with tqdm(desc="verify", delay=2.0, leave=False) as bar:
        results = verify(verify_cases(), engines, stages(bar))
    content = {
        "engines": {name: engine_record(engine.info) for name, engine in engines.items()},
        "missing": missing,
        "models": [check.as_json() for check in models],
        **verification_json(results),
    }
    complaints = _complaints(results, models)
    content["agrees"] = not complaints
    table = _table(results, engines, models)
    if page:
        _update(page, table)
    click.echo(json.dumps(content, allow_nan=False) if as_json else table)
    if complaints:
        raise EngineError("\n".join(["not everything agrees:", *complaints]))
    if len(engines) < 2:
        reasons = "; ".join(missing.values()) or "name two, or none"
        raise EngineNotFound(f"one engine agrees with itself only: {reasons}")


def _engines(names: Sequence[str]) -> tuple[dict[str, Engine], dict[str, str]]:
    """Engines by name, and why others were not found; one that is asked for must be there."""
    found: dict[str, Engine] = {}
    missing: dict[str, str] = {}
    for name in names or ENGINES:
        try:
            found[name] = find_engine(name)
        except EngineNotFound as error:
            if names:
                raise
            missing[name] = str(error)
    return found, missing


def _complaints(results: Sequence[CaseResult], models: Sequence[ModelCheck]) -> list[str]:
    differing = [
        f"deck {result.case.name}: {difference.complaint}"
        for result in results
        for difference in result.differences
        if not difference.agrees
    ]
    return [
        *(f"model {check.name}: {check.complaint}" for check in models if check.complaint),
        *differing,
    ]


def _table(
    results: Sequence[CaseResult], engines: Mapping[str, Engine], models: Sequence[ModelCheck]
) -> str:
    lines = [_HEADER]
    for result in results:
        lines += [_row(result, number) for number in range(len(result.measurements))]
    for name, engine in engines.items():
        info = engine.info
        abilities = [name.upper() for name in ("osdi", "klu") if getattr(info, name)]
        lines.append(f"{name} {info.version}, {' and '.join(abilities) or 'no OSDI, no KLU'}")
    agreeing = sum(not check.complaint for check in models)
    lines.append(f"{agreeing} of {len(models)} models: same terminals, parameters and defaults")
    worst = [d.events for result in results for d in result.differences if d.events]
    lines.append(
        f"spikes: {sum(e.mismatches for e in worst)} of {sum(e.events for e in worst)} comparisons "
        f"differ, worst margin {max((e.worst_margin for e in worst), default=0.0):.2%}"
    )
    return "\n".join(lines)


def _row(result: CaseResult, number: int) -> str:
    found = result.measurements[number]
    against = next(
        (d for d in result.differences if d.engine == found.engine and d.charge_port), None
    )
    margin = max(
        (
            d.events.worst_margin
            for d in result.differences
            if d.engine == found.engine and d.events
        ),
        default=None,
    )
    return _COLUMNS.format(
        result.case.name if number == 0 else "",
        found.engine,
        format_si(float(found.charge.sum()), "C"),
        f"{against.charge:.3%}" if against else "",
        format_si(float(found.energy.sum()), "J"),
        f"{against.energy:.3%}" if against else "",
        "-" if found.spikes is None else f"{int(found.spikes.sum())}/{found.spikes.size}",
        "" if margin is None else f"{margin:.2%}",
        f"{found.seconds:.2f} s",
    )


def _update(page: Path, table: str) -> None:
    """Replace what stands between the marks of a page."""
    with writing(page):
        text = page.read_text(encoding="utf-8")
        before, _, rest = text.partition(_BEGIN)
        _, _, after = rest.partition(_END)
        indented = "\n".join(f"    {line}".rstrip() for line in table.splitlines())
        page.write_text(f"{before}{_BEGIN}\n\n{indented}\n\n{_END}{after}", encoding="utf-8")
