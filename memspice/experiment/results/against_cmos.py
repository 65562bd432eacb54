"""The energy of an inference beside that of digital CMOS which does the same work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from memspice.analysis.cmos import LIKE_FOR_LIKE, OPPONENTS, PAPERS, SCOPES, Workload
from memspice.experiment.results.base import Result
from memspice.experiment.results.table import Table
from memspice.quantities import format_si


@dataclass(frozen=True)
class ChangedRatio:
    """A ratio with one assumption changed, and which one; ``none`` where none takes it farther."""

    value: float
    change: str


@dataclass(frozen=True)
class RatioRange:
    """Lowest and highest ratio over all assumptions, each changed alone."""

    low: ChangedRatio
    high: ChangedRatio


@dataclass(frozen=True)
class EnergyRatio:
    """Digital over memristive energy, [1]: above 1 the memristive network takes less.

    ``low`` and ``high`` are the 95 % interval of sampling alone.  No ratio stands without its
    ``sensitivity``, and the shares of both sides that are assumed.
    """

    value: float
    low: float
    high: float
    sensitivity: RatioRange
    assumed_fraction: float
    opponent_assumed_fraction: float


@dataclass(frozen=True)
class EnergyTotal:
    """Energy of an inference, [J], with the interval of sampling and the range of the model."""

    value: float
    low: float
    high: float
    interval: str
    model_low: float
    model_high: float


#: Fields of `CmosComparison` that sense stages are split into, and what they say in words.
SENSE_PARTS = {
    "quiescent": "quiescent current of amplifiers",
    "bit_lines": "current of bit lines, sunk by an ideal output stage",
    "transistors": "taken by circuits of transistors",
}


@dataclass(frozen=True, eq=False, repr=False)
class CmosComparison(Result):
    """Three scopes that book the same work on both sides, each against several opponents.

    Parameters
    ----------
    total : EnergyTotal, [J]
        Of the memristive network.
    quiescent, bit_lines : float, [J]
        Parts of its sense stages that are amplifiers of a model: without any signal, and for the
        currents of bit lines.
    memristive, half_width : mapping of str to float, [J]
        Energy of the memristive network by scope, and half of its 95 % interval.
    cmos : mapping of str to mapping of str to float, [J]
        Energy by scope and opponent.
    ratios : mapping of str to mapping of str to EnergyRatio
        By scope and opponent.
    assumed_fraction : float, [1]
        Share of the memristive total that is assumed.
    device_source : str
        Where the neuron device comes from.
    workload : Workload
        Operations of one inference.
    adds_half_width : float
        Half of the 95 % interval of its synaptic additions.
    transistors : float, [J]
        Those of its sense stages that are circuits of transistors.
    """

    total: EnergyTotal
    quiescent: float
    bit_lines: float
    memristive: Mapping[str, float]
    half_width: Mapping[str, float]
    cmos: Mapping[str, Mapping[str, float]]
    ratios: Mapping[str, Mapping[str, EnergyRatio]]
    assumed_fraction: float
    device_source: str
    workload: Workload
    adds_half_width: float
    transistors: float

    @property
    def sense_split(self) -> dict[str, float]:
        """Joules of the sense stages by what takes them, of what there is, [J]."""
        parts = {name: getattr(self, name) for name in SENSE_PARTS}
        return {name: joule for name, joule in parts.items() if joule}

    @property
    def cases(self) -> list[float]:
        """Ratios like for like, of all scopes and opponents."""
        return [self.ratios[scope][name].value for scope in SCOPES for name in LIKE_FOR_LIKE]

    def as_json(self) -> dict[str, Any]:
        """Keys of a summary that are about energies of both sides."""
        ends = {
            scope: [energy - self.half_width[scope], energy + self.half_width[scope]]
            for scope, energy in self.memristive.items()
        }
        return {
            "energy_total_joule": asdict(self.total),
            "assumed_fraction": self.assumed_fraction,
            "device_source": self.device_source,
            "sense_split_joule": self.sense_split,
            "memristive_joule": dict(self.memristive),
            "memristive_ci95": ends,
            "opponents": {name: opponent.words for name, opponent in OPPONENTS.items()},
            "cmos_baseline_joule": {scope: dict(each) for scope, each in self.cmos.items()},
            "ratio": {
                scope: {name: asdict(each[name]) for name in LIKE_FOR_LIKE}
                for scope, each in self.ratios.items()
            },
            PAPERS: {scope: asdict(each[PAPERS]) for scope, each in self.ratios.items()},
            "workload": asdict(self.workload),
            "adds_half_width": self.adds_half_width,
        }

    def columns(self) -> Mapping[str, Any]:
        """One row a scope and opponent."""
        rows = [(scope, name, item) for scope, e in self.ratios.items() for name, item in e.items()]
        return {
            "scope": [scope for scope, _, _ in rows],
            "opponent": [name for _, name, _ in rows],
            "own_joule": [self.memristive[scope] for scope, _, _ in rows],
            "cmos_joule": [self.cmos[scope][name] for scope, name, _ in rows],
            "ratio": [item.value for _, _, item in rows],
            "low": [item.low for _, _, item in rows],
            "high": [item.high for _, _, item in rows],
        }

    def table(self) -> Table:
        """Ratios of energy, each with scope, opponent, sensitivity and what is assumed."""
        head = f"{'scope and opponent':27}{'ours':>8}{'CMOS':>8}{'ratio':>8}  {'range':15} assumed"
        rows = [
            ("range: one assumption changed; assumed: share of our joules / of theirs", ""),
            (head, ""),
        ]
        for scope in SCOPES:
            rows.append((scope.replace("_", " + "), ""))
            rows += [(self._line(scope, name), "") for name in LIKE_FOR_LIKE]
        won = sum(ratio < 1 for ratio in self.cases)
        rows.append((f"CMOS takes less in {won} of these {len(self.cases)} cases", ""))
        title = "against CMOS, 45 nm: its energy over ours, above 1 we take less"
        return Table(title, tuple(rows))

    def _line(self, scope: str, name: str) -> str:
        item = self.ratios[scope][name]
        own, other = (
            format_si(joule, "J") for joule in (self.memristive[scope], self.cmos[scope][name])
        )
        shares = f"{item.assumed_fraction:.0%}/{item.opponent_assumed_fraction:.0%}"
        ends = [_short(end.value) for end in (item.sensitivity.low, item.sensitivity.high)]
        return (
            f"  {OPPONENTS[name].words:25}{own:>8}{other:>8}{_times(item.value):>7}x  "
            f"{' to '.join(ends):15} {shares}"
        )


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= 0.1 else _short(ratio)


def _short(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio >= 0.01 else f"{ratio:.0e}"
