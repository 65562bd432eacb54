"""The windows of a co-simulation on a second engine: what `experiments/two_engines` compares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from benchmarks.decks import run_decks
from memspice.analysis.comparison import compare_spikes, merge
from memspice.circuits.energy_model import COMPONENTS
from memspice.engines import find_engine
from memspice.experiment.cosim import CosimPlan, run_cosim
from memspice.experiment.request import Request
from memspice.experiment.results.run import check_complete
from memspice.jobs import Execution
from memspice.windows.agreement import judge_all
from memspice.windows.fidelities import open_fidelity
from memspice.windows.fidelity import WindowJob
from memspice.windows.outcome import Outcome
from memspice.windows.progress import Progress

#: Share of a deck's joules from which a component of them counts: a smaller one decides nothing.
COUNTED_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class Pair:
    """One deck, by its job, and what it ended with on the first engine and on the second."""

    job: WindowJob
    first: Outcome
    second: Outcome


def place(job: WindowJob) -> tuple[str, str]:
    """Layer and fidelity, by which decks are counted together."""
    return job.window.layer, job.fidelity.name


def co_simulated(
    request: Request,
    engine: str,
    *,
    plan: CosimPlan = CosimPlan(),
    execution: Execution = Execution(),
    progress: Progress | None = None,
) -> list[tuple[WindowJob, Outcome]]:
    """Decks of a co-simulation with what they ended with, the first of every layer in front.

    Parameters
    ----------
    request : Request
        Network, images, cycles.
    engine : str
        Name of the engine.
    plan : CosimPlan
        How much goes through SPICE.
    execution : Execution
        How decks are carried out; with its cache a run that was stopped goes on.
    progress : Progress, optional
        Is told how far it is.

    Raises
    ------
    MemspiceError
        As config or engine say.
    IncompleteResults
        If a deck has no result.
    """
    simulator = find_engine(engine)
    state = run_cosim(
        request, plan, simulator, lambda _: None, execution=execution, progress=progress
    )
    check_complete(state.failures, state.counts.total)
    return layers_in_turn(state.pairs())


def run_again(
    decks: Sequence[tuple[WindowJob, Outcome]],
    engine: str,
    *,
    execution: Execution = Execution(),
    progress: Progress | None = None,
) -> list[Pair]:
    """The same decks on another engine.

    What comes into a window follows from what the first engine found in the rounds before: so
    decks are carried over, and the other engine does not co-simulate.

    Parameters
    ----------
    decks : sequence
        Of `co_simulated`, or some of them.
    engine : str
        Name of the other engine.
    execution, progress
        As there.

    Raises
    ------
    MemspiceError
        As config or engine say.
    IncompleteResults
        If a deck has no result.
    """
    simulator = find_engine(engine)
    jobs = [replace(job, fidelity=open_fidelity(job.fidelity.name, simulator)) for job, _ in decks]
    words = f"the same on {engine}"
    others = run_decks(jobs, simulator, words, execution=execution, progress=progress)
    return [Pair(job, found, other) for (job, found), other in zip(decks, others, strict=True)]


def layers_in_turn(
    pairs: Sequence[tuple[WindowJob, Outcome]],
) -> list[tuple[WindowJob, Outcome]]:
    """Decks with the first of every layer in front, then the second of each, and so on."""
    seen: dict[tuple[str, str], int] = {}
    numbered = []
    for pair in pairs:
        own = place(pair[0])
        seen[own] = number = seen.get(own, 0) + 1
        numbered.append((number, pair))
    return [pair for _, pair in sorted(numbered, key=lambda item: item[0])]


def compare(pairs: Sequence[Pair], engines: tuple[str, str]) -> list[dict[str, Any]]:
    """What both engines say of each layer, ``full`` apart, as JSON has it.

    Parameters
    ----------
    pairs : sequence of Pair
        Of any layers.
    engines : tuple of str
        Names of both, in their order.

    Returns
    -------
    list of dict
        ``joule`` by engine and component, [J]; ``deck_deviation``, the largest of a deck's joules,
        and ``component_deviation``, that of a component with ``COUNTED_SHARE`` of them, relative to
        the first engine, [1]; ``hazard_deviation`` as verdicts have it, [1]; spikes that differ,
        ``mismatches``, and ``worst_margin``, how far the hazard integral of such a one is from its
        threshold, [1]; ``drive_difference``, the largest, [V]; ``seconds`` that the engines took,
        [s]; ``closure`` by engine, the worst; ``doubts`` by engine against the closed form.
    """
    order = list(dict.fromkeys(place(pair.job) for pair in pairs))
    by_place = sorted(pairs, key=lambda pair: order.index(place(pair.job)))
    return [
        {"layer": layer, "fidelity": fidelity, **_compared(list(members), engines)}
        for (layer, fidelity), members in groupby(by_place, key=lambda pair: place(pair.job))
    ]


def _compared(pairs: Sequence[Pair], engines: tuple[str, str]) -> dict[str, Any]:
    """Comparison of the decks of one layer and fidelity."""
    jobs = [pair.job for pair in pairs]
    outcomes = dict(zip(engines, zip(*((p.first, p.second) for p in pairs), strict=True),
                        strict=True))  # fmt: skip
    events = merge([
        compare_spikes(p.second.spikes, p.first.spikes, p.second.hazard, p.first.hazard,
                       p.first.thresholds)
        for p in pairs if p.first.spiking
    ])  # fmt: skip
    apart = [off for pair in pairs for off in component_deviations(pair)]
    component, deviation = max(apart, key=lambda off: abs(off[1]))
    return {
        "decks": len(pairs),
        "events": events.events,
        "joule": {
            name: {part: sum(each.energy[part] for each in found) for part in COMPONENTS}
            for name, found in outcomes.items()
        },
        "deck_deviation": max((_deviation(pair) for pair in pairs), key=abs),
        "component": component,
        "component_deviation": deviation,
        "mismatches": events.mismatches,
        "worst_margin": events.worst_margin,
        "hazard_deviation": events.hazard_deviation,
        "drive_difference": max(
            float(np.max(np.abs(pair.second.drive - pair.first.drive))) for pair in pairs
        ),
        "closure": {
            name: max(each.closure for each in found if each.closure is not None)
            for name, found in outcomes.items()
        },
        "seconds": {
            name: sum(each.wall_seconds for each in found) for name, found in outcomes.items()
        },
        "doubts": {name: judge_all(jobs, found).doubts for name, found in outcomes.items()},
    }


def _deviation(pair: Pair) -> float:
    return sum(pair.second.energy.values()) / sum(pair.first.energy.values()) - 1


def component_deviations(pair: Pair) -> Iterator[tuple[str, float]]:
    """Components of a deck that count, each with its difference relative to the first engine."""
    total = sum(pair.first.energy.values())
    for name, joules in pair.first.energy.items():
        if joules >= COUNTED_SHARE * total:
            yield name, pair.second.energy[name] / joules - 1
