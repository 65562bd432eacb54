"""What a burst buys: accuracy, joules and latency against K and T.

Claim: in a burst of K cycles a layer averages the spikes of its inputs before its own nonlinearity,
so that few cycles are as right as many without (`memspice.circuits.bursts`).  A network on one
chip with every flaw of ``Device.with_flaws`` runs T cycles in bursts of K, for all K from 1 to the
most cycles, and in leaky averages of which a quarter is new; its accuracy after T cycles stands
beside the joules of the circuits, closed form at sampled windows, without converters, and beside
the time to the answer.

    .venv/bin/python experiments/bursts/run.py --full --data DIR

writes ``result.json`` and ``bursts.png`` beside this file and the table of the README; without
``--full`` fewer images into ``results/paper/bursts``.  A run that was stopped goes on with
``--resume``, batch by batch.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import memspice as ms

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # scripts, not a package
from energy_run import NETWORK  # noqa: E402
from figure import draw  # noqa: E402
from points import Points  # noqa: E402
from question import Question, accuracy_network, question_command, write_result  # noqa: E402
from readme import replace_block  # noqa: E402

#: Images, and most cycles.
FULL, QUICK, DIGITS = (500, 16), (50, 8), (360, 16)
#: Of a leaky average, what is new in each cycle.
SHARE = 0.25
#: Images of which one window of each layer gives the joules.
WINDOWS = 24


def answer(question: Question) -> None:
    """Run all bursts and write the result, its figure and its table."""
    network, (images, most), notes = accuracy_network(question, FULL, QUICK, DIGITS, NETWORK)
    device = question.models.with_flaws()
    chip = ms.Chip(network, device, cache=True)
    data = chip.images("test", images, question.data)
    points = Points(question.out / "points", resume=question.resume)
    found: list[dict[str, Any]] = []
    for burst in (1 << k for k in range(most.bit_length())):
        found += measured(chip, data, most, burst, points.run_file(str(burst)))
    leaky = ms.Chip(network, device.change(charge_share=SHARE), cache=True)
    found += measured(leaky, data, most, 1, points.run_file("leaky"))
    ann = chip.run(data, cycles=1).ann_accuracy
    result = {
        "network": network, "images": len(data), "notes": notes, "flaws": dict(device.changes),
        "ann_accuracy": asdict(ann) if ann else None, "points": found,
    }  # fmt: skip
    write_result(question, result, {"bursts": draw(result)})
    if question.out == HERE:
        replace_block("bursts", table(result))
    points.done()


def measured(
    chip: ms.Chip, data: ms.Images, most: int, burst: int, run: Path
) -> Iterator[dict[str, Any]]:
    """Points of one K, by cycles."""
    options = ms.RunOptions(out=run, resume=True)
    found = chip.run(data, cycles=most, burst=burst, energy_windows=WINDOWS, options=options)
    ann, sampled = found.ann_correct(), found.sampled_energy
    assert sampled
    for cycles, accuracy in found.accuracy_at.items():
        right, share = found.correct(cycles), cycles / most
        joules, half = share * sampled.energy.total, share * sampled.half_width
        yield {
            "burst": burst,
            "share": chip.device.value("charge_share"),
            "cycles": cycles,
            "accuracy": asdict(accuracy),
            "loss": asdict(ms.statistics.paired_difference(ann[np.newaxis], right[np.newaxis])),
            "energy_joule": {"value": joules, "low": joules - half, "high": joules + half},
            "latency_second": chip.latency(cycles, burst),
        }


def table(result: Mapping[str, Any]) -> str:
    """One drive a cycle beside one burst and beside the leaky average, by cycles."""
    ann = result["ann_accuracy"]
    heads = ("one drive a cycle", "one burst (K = T)", f"leaky, {SHARE:g} new a cycle")
    lines = [
        f"{result['network']}, {result['images']} test images, every non-ideality; ANN "
        f"{_percent(ann)}",
        f"{'':7}{heads[0]:25}{heads[1]:25}{heads[2]}",
    ]
    by_place = {(item["burst"], item["share"], item["cycles"]): item for item in result["points"]}
    for cycles in sorted({cycles for *_, cycles in by_place}):
        each = [
            by_place[burst, share, cycles] for burst, share in ((1, 1), (cycles, 1), (1, SHARE))
        ]
        lines.append(f"T = {cycles:<3}" + "".join(f"{_cell(item):25}" for item in each).rstrip())
    return "\n".join([*lines, "joules of the circuits, without converters; time to the answer"])


def _cell(point: Mapping[str, Any]) -> str:
    joules = ms.plot.si(point["energy_joule"]["value"], "J")
    seconds = ms.plot.si(point["latency_second"], "s")
    return f"{100 * point['accuracy']['value']:.1f} % {joules:>7} {seconds:>7}"


def _percent(item: Mapping[str, float]) -> str:
    value, low, high = (100 * item[key] for key in ("value", "low", "high"))
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    question_command("bursts", answer)()
