"""Decks of layers whose transistors are drawn, beside what is said of them.

What `experiments/mismatch` shows of one chip in ``reduced``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy

from benchmarks.decks import run_decks, window_inputs
from memspice.engines import find_engine
from memspice.experiment.request import Request
from memspice.jobs import Execution
from memspice.network.mapping import MappedLayer
from memspice.windows.agreement import DEVIATIONS, Verdict, judge, together
from memspice.windows.choice import choose_windows
from memspice.windows.fidelity import WindowJob, window_jobs
from memspice.windows.outcome import Outcome
from memspice.windows.progress import Progress
from memspice.windows.reduced import Reduced
from memspice.windows.surrogate import surrogate_events

#: Parts of equal probability into which a normal error is cut.
PARTS = 200


@dataclass(frozen=True, eq=False)
class DrawnDeck:
    """A deck of one output, and what it ended with."""

    job: WindowJob
    found: Outcome

    @cached_property
    def verdict(self) -> Verdict:
        """Against the closed form of the same draws."""
        return judge(self.job, self.found)

    @property
    def apart(self) -> bool:
        """Whether its stage acts on currents at which its drive is not known."""
        return self.verdict.pathwise.apart > 0

    @cached_property
    def expected(self) -> dict[str, np.ndarray]:
        """Closed form of its events."""
        return surrogate_events(self.job)

    @property
    def off(self) -> float:
        """Its drive less what is said of it, [V]."""
        return float(self.found.drive[0, 0] - self.expected["drive"][0, 0])

    @property
    def residual(self) -> float:
        """Standard deviation of that, as stated, [V]."""
        return self.job.circuit.sense.residual

    @property
    def share(self) -> tuple[float, float]:
        """Share of all draws by which an event ends otherwise: found, and expected, [1]."""
        spread = self.residual * float(np.max(self.job.circuit.hazard_slope))
        normal = scipy.special.ndtri((np.arange(PARTS) + 0.5) / PARTS)
        said = self.expected["hazard"]
        chance = np.exp(-said[..., None] * np.exp(spread * normal))
        found = np.abs(np.exp(-self.found.hazard) - np.exp(-said)).mean()
        return float(found), float(np.abs(chance - np.exp(-said)[..., None]).mean())


def drawn_decks(
    request: Request,
    counts: Mapping[str, int],
    *,
    execution: Execution = Execution(),
    progress: Progress | None = None,
) -> dict[str, list[DrawnDeck]]:
    """Decks of some layers on ngspice, of outputs spread evenly over each.

    Each is in a window of an image of its own.

    Parameters
    ----------
    request : Request
        As many images at least.
    counts : mapping
        Decks of each spiking layer, by its name.
    execution : Execution
        How decks are carried out.
    progress : Progress, optional
        Is told how far it is.

    Raises
    ------
    MemspiceError
        As config or engine say.
    IncompleteResults
        If a deck has no result.
    """
    engine = find_engine("ngspice")
    jobs = _jobs(request, Reduced(engine), counts)
    found = run_decks(jobs, engine, "decks", execution=execution, progress=progress)
    decks: dict[str, list[DrawnDeck]] = {}
    for job, each in zip(jobs, found, strict=True):
        decks.setdefault(job.layer.name, []).append(DrawnDeck(job, each))
    return decks


def _jobs(request: Request, fidelity: Reduced, counts: Mapping[str, int]) -> list[WindowJob]:
    layers = [request.mapped.layer(name) for name in counts]
    windows = {
        layer.name: choose_windows(layer, counts[layer.name], 1, request.seed) for layer in layers
    }
    every = [window for each in windows.values() for window in each]
    inputs = window_inputs(request, request.mapped, every)
    return [
        job
        for layer in layers
        for window, output in zip(windows[layer.name], _outputs(layer, counts), strict=True)
        for job in window_jobs(
            layer, window, inputs[window], fidelity, seed=request.seed, burst=request.burst
        )
        if output in job.outputs
    ]


def _outputs(layer: MappedLayer, counts: Mapping[str, int]) -> list[int]:
    return [round(at) for at in np.linspace(0, layer.outputs - 1, counts[layer.name]).tolist()]


def summary(decks: Sequence[DrawnDeck]) -> dict[str, Any]:
    """What decks say together, as JSON has it.

    Returns
    -------
    dict
        ``events`` that count, ``apart`` that do not, ``mismatches``, ``expected`` and ``outside``,
        how many of the decks are beyond a limit of the verdict; ``share`` of all draws by which an
        event ends otherwise, ``share_expected``, [1]; ``off``, what each drive is off what is said
        of it, ``apart_off``, those that do not count, and ``residual`` of each that counts, [V];
        ``closure``, the worst; ``doubts``.
    """
    inside = [deck for deck in decks if not deck.apart]
    whole = together([deck.verdict for deck in decks])
    shares = np.array([deck.share for deck in inside]).reshape(-1, 2).mean(axis=0).tolist()
    return {
        "decks": len(decks),
        "events": whole.pathwise.events,
        "apart": whole.pathwise.apart,
        "mismatches": whole.pathwise.mismatches,
        "expected": whole.pathwise.expected,
        "outside": sum(not deck.verdict.holds for deck in decks),
        "margin": whole.margin,
        "hazard_deviation": whole.pathwise.hazard_deviation,
        "share": shares[0],
        "share_expected": shares[1],
        "off": [deck.off for deck in inside],
        "residual": [deck.residual for deck in inside],
        "apart_off": [deck.off for deck in decks if deck.apart],
        "closure": whole.closure,
        "doubts": list(whole.doubts),
    }


def chance(found: int, expected: float) -> float:
    """Chance of a number of disagreements at least as far from what is expected, [1]."""
    counts = scipy.stats.poisson(expected)
    return min(1.0, 2 * float(min(counts.cdf(found), counts.sf(found - 1))))


def within(summaries: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Drives that do not count: how many are within the margin all the same, and all of them."""
    off = [
        abs(value) <= DEVIATIONS * max(item["residual"], default=0.0)
        for item in summaries
        for value in item["apart_off"]
    ]
    return sum(off), len(off)
