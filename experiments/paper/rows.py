"""The rows of the page: each claim and each research question, answered from result files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verdicts import (
    LOSS_RULE,
    NEURON_RULE,
    RATIO_RULE,
    ROBUST_RULE,
    Verdict,
    amount,
    loss_verdict,
    neuron_verdict,
    points,
    ratio_case,
    ratio_verdict,
    robust_verdict,
)

import memspice as ms
from memspice import cmos

#: Scripts in their order; each writes ``NAME/result.json`` and its figures.
QUESTIONS = ("stochastic_neuron", "conversion", "robustness", "energy_ratio")
PAPER = "Wijesinghe et al., arXiv 1712.01472"
MTJ_PAPER = "Sengupta et al., arXiv 1605.04494"

Results = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """One claim or question; ``figures`` are names of PNG files of the script ``script``."""

    kind: str
    statement: str
    source: str
    paper: str
    ours: str
    verdict: Verdict
    rule: str
    script: str
    figures: tuple[str, ...]


def read_results(folder: Path) -> dict[str, dict[str, Any]]:
    """Result files of all scripts.

    Raises
    ------
    ms.errors.IncompleteResults
        If one is missing or no JSON; the message names the script that makes it.
    """
    results = {}
    for name in QUESTIONS:
        path = folder / name / "result.json"
        try:
            results[name] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ms.errors.IncompleteResults(
                f"no result at {path}: {error}\nrun experiments/{name}/run.py, or make paper"
            ) from error
    return results


def rows(results: Results) -> list[Row]:
    """All rows in the order of the page.

    Raises
    ------
    ms.errors.IncompleteResults
        If no sweep was made of a kind that a question asks for.
    """
    return [*_claims(results), *_research_questions(results)]


def _claims(results: Results) -> list[Row]:
    conversion, energy = results["conversion"], results["energy_ratio"]
    memristor, mtj = energy["devices"][0], energy["devices"][-1]
    return [
        _neuron(results, "claim", "A device's own stochasticity is the neuron, with no outside "
                "noise.",
                "yes"),
        _loss(conversion, "ideal", "claim", "A modified training lets a deep network be converted.",
              "yes"),
        _loss(conversion, "real", "claim", "About 1 % of accuracy is lost with the non-idealities "
              "of circuit and device.", "about 1 %"),
        _robust(results, "claim", "The network is robust to certain variations.", "yes",
                ("variation", "resistance", "switching")),
        _ratio(memristor, "claim", 6.4, "About 6.4 times less energy than CMOS.",
               f"{PAPER}, abstract of version 3 [S]"),
        _ratio(memristor, "claim", 11.0, "About 11 times less energy than CMOS.",
               f"{PAPER}, version 1 [not read: from a summary]"),
        _ratio(mtj, "claim", 20.0, "With MTJ neurons, 20 times less energy than CMOS.",
               f"{MTJ_PAPER}, abstract [S]"),
    ]  # fmt: skip


def _research_questions(results: Results) -> list[Row]:
    memristor = results["energy_ratio"]["devices"][0]
    return [
        _neuron(results, "question", "Can the device's stochasticity be the neuron?", "yes"),
        _loss(results["conversion"], "real", "question", "Can a deep ANN be converted?",
              "about 1 % lost"),
        _robust(results, "question", "How do accuracy and energy hold under variation?",
                "robust to certain variations", ("variation",)),
        _ratio(memristor, "question", 6.4, "How much energy against CMOS?", f"{PAPER} [S]"),
        _robust(results, "question", "How robust is it to resistance and switching variation?",
                "robust to certain variations", ("resistance", "switching")),
    ]  # fmt: skip


def _neuron(results: Results, kind: str, statement: str, paper: str) -> Row:
    found = results["stochastic_neuron"]
    ours = "; ".join(
        f"{item['parameter_set']}: p = {item['agreement']['p_value']:.2f}, "
        f"{item['mismatches']} of {item['events']} spikes differ"
        for item in found["devices"]
    )
    figures = tuple(f"transfer-{item['parameter_set']}" for item in found["devices"])
    return Row(
        kind, statement, f"{PAPER}, abstract [S]", paper,
        f"{ours}; a draw a write stands for the device's luck, nothing else is random",
        neuron_verdict(found), NEURON_RULE,
        "stochastic_neuron", ("luck", *figures),
    )  # fmt: skip


def _loss(found: Mapping[str, Any], curve: str, kind: str, statement: str, paper: str) -> Row:
    rows_of = found["curves"][curve]
    ours = "; ".join(f"T = {item['cycles']}: {points(item['loss'])}" for item in rows_of)
    array = "ideal array" if curve == "ideal" else "with every non-ideality"
    others = "".join(
        f"; {item['label']} with every non-ideality ({100 * item['ann_accuracy']['value']:.1f} % "
        "as ANN): "
        f"{points(item['curve'][-1]['loss'])} at T = {item['curve'][-1]['cycles']}"
        for item in found["beside"]
    )
    return Row(
        kind, statement, f"{PAPER}, abstract [S]", paper,
        f"lost by {found['network']}, {array}: {ours}{others}", loss_verdict(rows_of), LOSS_RULE,
        "conversion", ("conversion",),
    )  # fmt: skip


def _robust(
    results: Results, kind: str, statement: str, paper: str, groups: tuple[str, ...]
) -> Row:
    found = results["robustness"]
    sweeps = [sweep for sweep in found["sweeps"] if sweep["group"] in groups]
    if not sweeps:
        raise ms.errors.IncompleteResults(
            f"the result of robustness has no sweep of {' or '.join(groups)}: run its script "
            "again, or make paper"
        )
    ours = "; ".join(_harshest(sweep) for sweep in sweeps)
    return Row(
        kind, statement, f"{PAPER}, abstract [S]", paper,
        f"{found['network']} loses {ours}", robust_verdict(sweeps), ROBUST_RULE, "robustness",
        tuple(sweep["name"] for sweep in sweeps),
    )  # fmt: skip


def _harshest(sweep: Mapping[str, Any]) -> str:
    """What the harshest setting that works costs."""
    last = [point for point in sweep["points"] if "refused" not in point][-1]
    energy = last["energy_ratio"]["value"]
    value = amount(last["value"], sweep["unit"])
    change = f"energy {100 * (energy - 1):+.1f} %"
    return f"{points(last['loss'])} at {sweep['title']} {value}, {change}"


def _ratio(device: Mapping[str, Any], kind: str, number: float, statement: str, source: str) -> Row:
    cases = [
        ratio_case(device, scope, opponent)
        for scope, ratios in device["ratio"].items()
        for opponent in ratios
    ]
    count = ratio_case(device, cmos.SCOPES[-1], cmos.PAPERS)
    total = device["energy_total_joule"]
    ours = (
        f"{device['device']}, {device['device_source']} device: "
        f"{ms.plot.si(total['value'], 'J')} an "
        f"inference, {100 * device['assumed_fraction']:.0f} % of it assumed; {'; '.join(cases)}. "
        f"Counted as the papers seem to, beside their {number:g}: {count}"
    )
    return Row(
        kind, statement, source, f"{number:g} ×, its scope and opponent not stated", ours,
        ratio_verdict(device, number), RATIO_RULE, "energy_ratio", ("energy_ratio",),
    )  # fmt: skip
