"""A plain verdict from numbers and their intervals, by a rule that the page prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memspice import cmos, results

HOLDS = "holds"
CONDITIONS = "holds under these conditions"
NOT = "does not hold"
OPEN = "not decided by this run"

#: How far a sweep is safe, if not up or down to one of its values.
WHOLE, NEVER = "over the whole range", "at no value harsher than the nominal one"

#: Accuracy [1] that "about 1 %" allows, and that robust allows besides.
LOSS_LIMIT = 0.01
ROBUST_LIMIT = 0.02
#: Chance that a true law is refused, shared by the devices.
SIGNIFICANCE = 0.01

_ONE_POINT = f"{100 * LOSS_LIMIT:g} point"

LOSS_RULE = (
    f"A loss is shown to be small where its whole 95 % interval lies below {_ONE_POINT}. Holds: at "
    f"every T; under conditions: from some T on; does not: the whole interval lies above "
    f"{_ONE_POINT} at the largest T; else not decided."
)
NEURON_RULE = (
    f"Every device's counts must agree with its law (chi-square, p above {100 * SIGNIFICANCE:g} % "
    "shared by the devices) and every spike with the closed form outside a margin of "
    f"{100 * results.MARGIN:g} %; else it does not hold. Holds: the stochastic network then also "
    "surely beats (95 %) the same one whose devices switch wherever P > 1/2; under conditions: it "
    "does not surely."
)
RATIO_RULE = (
    "CMOS over own energy, like for like: three scopes that book the same work on both sides, each "
    "against three digital networks. Holds: the whole 95 % interval, of sampling alone, is at or "
    "above the paper's number in every case; under conditions: in some; does not: in none. The "
    "count with a fetch for each addition stands beside the paper's number and decides nothing."
)
ROBUST_RULE = (
    "A setting is safe where the whole 95 % interval of what it costs against the nominal setting "
    f"lies below {100 * ROBUST_LIMIT:g} points; milder values are then safe, too. Holds: every "
    "sweep is safe over its whole range; under conditions: sweeps are safe up to a value named "
    "that is harsher than the nominal one; does not: the first harsher value of every sweep surely "
    "costs more; else not decided."
)


@dataclass(frozen=True)
class Verdict:
    """``word`` is one of the four above; ``reason`` says why, with the numbers."""

    word: str
    reason: str


def loss_verdict(curve: Sequence[Mapping[str, Any]]) -> Verdict:
    """Judge losses by cycles; each point has ``cycles`` and ``loss`` with its ends."""
    ordered = sorted(curve, key=lambda point: point["cycles"])
    last = ordered[-1]
    loss = points(last["loss"])
    safe_from = None
    for point in reversed(ordered):
        if point["loss"]["high"] >= LOSS_LIMIT:
            break
        safe_from = point["cycles"]
    if safe_from == ordered[0]["cycles"]:
        return Verdict(HOLDS, f"below {_ONE_POINT} at every T; {loss} at the largest")
    if safe_from is not None:
        return Verdict(CONDITIONS, f"from T = {safe_from} on; {loss} at T = {last['cycles']}")
    if last["loss"]["low"] > LOSS_LIMIT:
        return Verdict(NOT, f"{loss} at T = {last['cycles']}, surely above {_ONE_POINT}")
    return Verdict(OPEN, f"{loss} at T = {last['cycles']}: the interval holds {_ONE_POINT}")


def neuron_verdict(result: Mapping[str, Any]) -> Verdict:
    """Judge transfer curves and the network without luck."""
    devices = result["devices"]
    least = SIGNIFICANCE / len(devices)
    for device in devices:
        p, worst = device["agreement"]["p_value"], device["worst_margin"]
        if p < least or worst > results.MARGIN:
            reason = f"p = {p:.2g}, worst margin {worst:.2g}: its circuit is not its law"
            return Verdict(NOT, f"{device['parameter_set']}: {reason}")
    last = result["stochastic"][-1]
    gain = points(last["gain"])
    agree = f"all {len(devices)} circuits follow their laws"
    if last["gain"]["low"] > 0:
        return Verdict(HOLDS, f"{agree}; chance itself adds {gain} at T = {last['cycles']}")
    return Verdict(
        CONDITIONS,
        f"{agree}; that chance itself helps is not shown by {result['network']} ({gain} at "
        f"T = {last['cycles']})",
    )


def ratio_verdict(device: Mapping[str, Any], number: float) -> Verdict:
    """Judge the ratios of energy, like for like, against the paper's number."""
    cases = {
        (scope, opponent): item
        for scope, ratios in device["ratio"].items()
        for opponent, item in ratios.items()
    }
    reached = [case for case, item in cases.items() if item["low"] >= number]
    ordered = sorted(cases, key=lambda case: cases[case]["value"])
    ends = f"best {ratio_case(device, *ordered[-1])}; worst {ratio_case(device, *ordered[0])}"
    if not reached:
        return Verdict(NOT, f"in none of {len(cases)} cases: {ends}")
    lost = [
        f"{_words(scope)} against {device['opponents'][opponent]} with "
        f"{item['sensitivity']['low']['change']}"
        for (scope, opponent), item in cases.items()
        if (scope, opponent) in reached and item["sensitivity"]["low"]["value"] < number
    ]
    doubt = f"no longer at {', or '.join(lost)}" if lost else "no single assumption changes that"
    if len(reached) == len(cases):
        return Verdict(HOLDS, f"in all {len(cases)} cases: {ends}; {doubt}")
    return Verdict(CONDITIONS, f"in {len(reached)} of {len(cases)} cases: {ends}; {doubt}")


def ratio_case(device: Mapping[str, Any], scope: str, opponent: str) -> str:
    """One ratio with its scope, opponent, sensitivity and what is assumed on either side."""
    papers = opponent == cmos.PAPERS
    item = device[cmos.PAPERS][scope] if papers else device["ratio"][scope][opponent]
    low, high = (item["sensitivity"][end]["value"] for end in ("low", "high"))
    return (
        f"{item['value']:.3g} at {_words(scope)} against {device['opponents'][opponent]} "
        f"({low:.3g} to {high:.3g} with one assumption changed; assumed "
        f"{100 * item['assumed_fraction']:.0f} % of our joules, "
        f"{100 * item['opponent_assumed_fraction']:.0f} % of theirs)"
    )


def _words(scope: str) -> str:
    return f"scope {scope.replace('_', ' + ')}"


def robust_verdict(sweeps: Sequence[Mapping[str, Any]]) -> Verdict:
    """Judge sweeps, each with its points from mild to harsh."""
    ranges = {sweep["title"]: safe_range(sweep) for sweep in sweeps}
    whole = [title for title, found in ranges.items() if found == WHOLE]
    never = [title for title, found in ranges.items() if found == NEVER]
    partly = [f"{title} {found}" for title, found in ranges.items() if found not in (WHOLE, NEVER)]
    if len(whole) == len(sweeps):
        return Verdict(HOLDS, f"over the whole range of {', '.join(whole)}; {_energies(sweeps)}")
    parts = [f"{WHOLE}: {', '.join(whole)}"] if whole else []
    parts += [", ".join(partly)] if partly else []
    parts += [f"not shown for {', '.join(never)}"] if never else []
    reason = "; ".join([*parts, _energies(sweeps)])
    if whole or partly:
        return Verdict(CONDITIONS, reason)
    # An interval that holds the limit says neither that a setting is safe nor that it is not.
    return Verdict(NOT if all(_surely_lost(sweep) for sweep in sweeps) else OPEN, reason)


def _surely_lost(sweep: Mapping[str, Any]) -> bool:
    """Whether the first value harsher than nominal costs more than the limit, or does not work."""
    harsher = [point for point in sweep["points"] if _harsher(sweep, point["value"])]
    return any(
        "refused" in point or bool(point["loss"]["low"] > ROBUST_LIMIT) for point in harsher[:1]
    )


def _energies(sweeps: Sequence[Mapping[str, Any]]) -> str:
    """Range of the energy over all settings that work, safe or not."""
    ratios = [
        point["energy_ratio"]["value"]
        for sweep in sweeps
        for point in sweep["points"]
        if "refused" not in point
    ]
    low, high = (100 * (end - 1) for end in (min(ratios), max(ratios)))
    return f"energy {low:+.0f} to {high:+.0f} % of the nominal one"


def safe_range(sweep: Mapping[str, Any]) -> str:
    """How far a sweep is safe; from mild to harsh its values may fall."""
    safe = safe_values(sweep)
    if len(safe) == len(sweep["points"]):
        return WHOLE
    if not _harsher(sweep, safe[-1] if safe else sweep["nominal"]):
        return NEVER
    return (
        f"{'down' if safe[-1] < sweep['values'][0] else 'up'} to {amount(safe[-1], sweep['unit'])}"
    )


def _harsher(sweep: Mapping[str, Any], value: float) -> bool:
    """Whether a value is farther from the mildest one than the nominal one is."""
    mildest = sweep["values"][0]
    return bool(abs(value - mildest) > abs(sweep["nominal"] - mildest))


def is_safe(point: Mapping[str, Any]) -> bool:
    """Whether a setting surely costs less than the limit."""
    return "refused" not in point and bool(point["loss"]["high"] < ROBUST_LIMIT)


def safe_values(sweep: Mapping[str, Any]) -> list[float]:
    """Values of a sweep, from the mildest measured on, until one is not surely safe."""
    found = []
    for point in sweep["points"]:
        if not is_safe(point):
            break
        found.append(point["value"])
    return found


def points(loss: Mapping[str, float]) -> str:
    """A difference of accuracies in points with its interval."""
    value, low, high = (100 * loss[end] for end in ("value", "low", "high"))
    return f"{value:.2f} points ({low:.2f} to {high:.2f})"


def amount(value: float, unit: str) -> str:
    """A swept value with its unit."""
    return f"{value:g}" if unit == "1" else f"{value:g} {unit}"
