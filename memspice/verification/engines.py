"""Whether all engines that are installed agree, in one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memspice.engines import find_engine, installed_engines
from memspice.engines.base import Engine, EngineInfo
from memspice.engines.osdi import has_compiler
from memspice.errors import EngineError, EngineNotFound
from memspice.experiment.results.base import Shown
from memspice.experiment.results.table import Table
from memspice.quantities import format_si
from memspice.verification.circuits import verify_cases
from memspice.verification.compare import CaseResult, verification_json, verify
from memspice.verification.models import ModelCheck, check_models
from memspice.windows.progress import Progress

_COLUMNS = "{:16}{:8}{:>9}{:>9}{:>8}{:>7}{:>7}{:>8}{:>8}"
_HEADER = _COLUMNS.format(
    "deck", "engine", "charge", "energy", "apart", "spikes", "margin", "hazard", "time"
)


@dataclass(frozen=True, eq=False, repr=False)
class EngineVerification(Shown):
    """The same decks on every engine, and both forms of every model.

    Parameters
    ----------
    decks : tuple of CaseResult
        Each deck on all engines.
    engines : mapping
        What was found of each engine, by name.
    missing : mapping
        Why others were not found.
    models : tuple of ModelCheck
        Verilog-A models beside their behavioural twins; none without a compiler.
    """

    decks: tuple[CaseResult, ...]
    engines: Mapping[str, EngineInfo]
    missing: Mapping[str, str]
    models: tuple[ModelCheck, ...]

    @property
    def complaints(self) -> list[str]:
        """Everything that is not as it should be."""
        return [
            *(f"model {check.name}: {check.complaint}" for check in self.models if check.complaint),
            *(f"deck {deck.case.name}: {text}" for deck in self.decks for text in deck.complaints),
        ]

    def check(self) -> None:
        """Refuse engines that do not agree, or of which there is one.

        Raises
        ------
        EngineError
            If anything differs beyond its limit.
        EngineNotFound
            If there are not two to compare.
        """
        complaints = self.complaints
        if complaints:
            raise EngineError("\n".join(["not everything agrees:", *complaints]))
        if len(self.engines) < 2:
            reasons = "; ".join(self.missing.values()) or "name two, or none"
            raise EngineNotFound(f"one engine agrees with itself only: {reasons}")

    def as_json(self) -> dict[str, Any]:
        """Object that ``verify --json`` prints."""
        return {
            "engines": {name: info.as_json() for name, info in self.engines.items()},
            "missing": dict(self.missing),
            "models": [check.as_json() for check in self.models],
            "agrees": not self.complaints,
            **verification_json(self.decks),
        }

    def summary(self) -> list[str]:
        """Engines, models and spikes, a line each."""
        lines = []
        for name, info in self.engines.items():
            abilities = [word.upper() for word in ("osdi", "klu") if getattr(info, word)]
            lines.append(f"{name} {info.version}, {' and '.join(abilities) or 'no OSDI, no KLU'}")
        agreeing = sum(not check.complaint for check in self.models)
        lines.append(
            f"{agreeing} of {len(self.models)} models: same terminals, parameters and defaults"
        )
        events = [d.events for deck in self.decks for d in deck.differences if d.events]
        count, differing = sum(e.events for e in events), sum(e.mismatches for e in events)
        worst = max((e.worst_margin for e in events), default=0.0)
        lines.append(f"spikes: {differing} of {count} comparisons differ, worst margin {worst:.2%}")
        return lines

    def table(self) -> Table:
        """Summary and complaints."""
        rows = tuple((line, "") for line in self.summary())
        title = f"{len(self.decks)} decks on {' and '.join(self.engines) or 'no engine'}"
        return Table(title, rows, tuple(self.complaints))

    def text(self) -> str:
        """Every deck on every engine, a line each, above the summary."""
        lines = [_HEADER]
        for deck in self.decks:
            lines += [_row(deck, number) for number in range(len(deck.measurements))]
            lines += [f"{deck.case.name:16}{engine:8} failed" for engine in deck.failures]
        return "\n".join([*lines, *self.summary()])


def verify_engines(
    names: Sequence[str] = (), *, progress: Progress | None = None
) -> EngineVerification:
    """Run the same decks on engines, from an RC step to a whole layer, and compare.

    Charge and energy of every port and the course of every state must agree within
    `memspice.verification.compare.TOLERANCE`, spikes one by one, hazard integrals within 1 %.

    Parameters
    ----------
    names : sequence of str
        Only these engines; all that are found, if there is none.
    progress : Progress, optional
        Is told how far it is.

    Raises
    ------
    EngineNotFound
        If one that is named is not installed.
    """
    engines, missing = engines_by_name(names)
    models = check_models() if has_compiler() else []
    decks = verify(verify_cases(), engines, progress)
    found = {name: engine.info for name, engine in engines.items()}
    return EngineVerification(tuple(decks), found, missing, tuple(models))


def engines_by_name(names: Sequence[str]) -> tuple[dict[str, Engine], dict[str, str]]:
    """Engines by name, and why others were not found; one that is asked for must be there."""
    return ({name: find_engine(name) for name in names}, {}) if names else installed_engines()


def _row(deck: CaseResult, number: int) -> str:
    found = deck.measurements[number]
    own = [d for d in deck.differences if d.engine == found.engine]
    apart = max((d.apart for d in own if d.where), default=None)
    events = [d.events for d in own if d.events]
    return _COLUMNS.format(
        deck.case.name if number == 0 else "",
        found.engine,
        format_si(float(found.charge.sum()), "C"),
        format_si(float(found.energy.sum()), "J"),
        "" if apart is None else f"{apart:.3%}",
        "-" if found.spikes is None else f"{int(found.spikes.sum())}/{found.spikes.size}",
        f"{max(e.worst_margin for e in events):.2%}" if events else "",
        f"{max(e.hazard_deviation for e in events):.3%}" if events else "",
        f"{found.seconds:.2f} s",
    )
