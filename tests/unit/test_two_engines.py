"""Two engines on the windows of one co-simulation: what the comparison sees and passes over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import memspice as ms
from benchmarks.two_engines import (
    COUNTED_SHARE,
    Pair,
    co_simulated,
    compare,
    layers_in_turn,
    run_again,
)
from memspice.circuits.energy_model import COMPONENTS
from memspice.network.inference import run_inference
from memspice.windows.fidelity import window_jobs
from memspice.windows.outcome import Outcome, outcome
from tests.loop_helpers import CYCLES, SEED, every_window, make_images, make_mapped
from tests.settings import Setting

ENGINES = ("ngspice", "vacask")
LIMIT = 5e-3
#: Joules of components, of which one does not count.
SHARES = (20.0, 10.0, 50.0, 9.0, 6.0, 4.5, 0.5)
PLAN = ms.CosimPlan(
    spice_windows=2,
    spice_cycles=1,
    spice_outputs=1,
    model_windows=2,
    full_windows=0,
    showcase_cycles=1,
    showcase_outputs=1,
    max_iterations=1,
)


@cache
def same() -> tuple[Pair, ...]:
    """Every window of one image in closed form, as though both engines gave that."""
    mapped, images = make_mapped(), make_images(1)
    windows = every_window(mapped, 1)
    loop = run_inference(mapped, images, CYCLES, SEED, windows=windows)
    jobs = [
        job
        for window in windows
        for job in window_jobs(
            mapped.layer(window.layer), window, loop.windows[window], ms.Surrogate(), seed=SEED
        )
    ]
    found = [replace(outcome(job.fidelity.run(job)), closure=1e-6) for job in jobs]
    return tuple(Pair(job, each, each) for job, each in zip(jobs, found, strict=True))


def changed(change: Callable[[Outcome], Outcome], number: int = 0) -> list[Pair]:
    """The same, but for what the second engine says of one deck."""
    pairs = list(same())
    pairs[number] = replace(pairs[number], second=change(pairs[number].second))
    return pairs


def test_what_is_the_same_differs_in_nothing() -> None:
    found = compare(same(), ENGINES)
    assert [item["layer"] for item in found] == ["conv1", "conv2", "dense3", "dense4"]
    assert sum(item["decks"] for item in found) == len(same())
    outcomes = [pair.first for pair in same() if pair.first.spiking]
    assert sum(item["events"] for item in found) == sum(each.spikes.size for each in outcomes)
    for item in found:
        assert item["joule"]["ngspice"] == item["joule"]["vacask"]
        apart = ("deck_deviation", "component_deviation", "hazard_deviation", "drive_difference")
        assert [item[name] for name in (*apart, "mismatches")] == [0] * 5
        assert item["closure"] == dict.fromkeys(ENGINES, 1e-6)
        assert item["doubts"] == dict.fromkeys(ENGINES, [])


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_wrong_component_is_seen_where_it_counts(name: str) -> None:
    """By 1 % in one deck of many: beyond the limit by itself, if not in what all take."""
    energy = dict(zip(COMPONENTS, SHARES, strict=True))
    wrong = energy | {name: 1.01 * energy[name]}
    pairs = [replace(pair, first=replace(pair.first, energy=energy),
                     second=replace(pair.second, energy=energy)) for pair in same()]  # fmt: skip
    pairs[0] = replace(pairs[0], second=replace(pairs[0].second, energy=wrong))
    first, *others = compare(pairs, ENGINES)
    if energy[name] >= COUNTED_SHARE * sum(SHARES):
        assert first["component"] == name
        assert first["component_deviation"] == pytest.approx(0.01)
    else:
        assert abs(first["component_deviation"]) == 0
    assert first["deck_deviation"] == pytest.approx(0.01 * energy[name] / sum(SHARES))
    assert all(item["component_deviation"] == 0 for item in others)


def test_a_spike_a_hazard_and_a_drive_are_seen() -> None:
    def flipped(each: Outcome) -> Outcome:
        spikes = each.spikes.copy()
        spikes[0, 0] ^= True
        return replace(each, spikes=spikes)

    assert compare(changed(flipped), ENGINES)[0]["mismatches"] == 1
    higher = compare(changed(lambda each: replace(each, hazard=1.006 * each.hazard)), ENGINES)[0]
    assert higher["hazard_deviation"] == pytest.approx(0.006)
    moved = compare(changed(lambda each: replace(each, drive=each.drive + 2e-3)), ENGINES)[0]
    assert moved["drive_difference"] == pytest.approx(2e-3)


def test_every_layer_comes_first() -> None:
    pairs = [(pair.job, pair.first) for pair in same()]
    found = layers_in_turn(pairs)
    layers = [job.window.layer for job, _ in found]
    assert layers[:4] == list(dict.fromkeys(layers))
    assert {id(job) for job, _ in found} == {id(job) for job, _ in pairs}
    assert len(found) == len(pairs)


@pytest.mark.ngspice
@pytest.mark.vacask
def test_both_engines_run_the_same_windows() -> None:
    request = Setting(network="digits-mlp", images=2, cycles=1, seed=1).request()
    pairs = run_again(co_simulated(request, ENGINES[0], plan=PLAN)[:3], ENGINES[1])
    assert [pair.job.window.layer for pair in pairs] == ["dense1", "dense2", "dense1"]
    for pair in pairs:
        assert np.array_equal(pair.first.thresholds, pair.second.thresholds)
        assert pair.first.first_output == pair.second.first_output == pair.job.outputs.start
        assert np.any(pair.first.drive != pair.second.drive)  # and not one of them twice
    for item in compare(pairs, ENGINES):
        assert abs(item["component_deviation"]) < LIMIT
        assert item["mismatches"] == 0
        assert item["hazard_deviation"] < LIMIT
        assert item["doubts"] == dict.fromkeys(ENGINES, [])
