"""Several chips: each is the chip of its seed, whoever carries out its batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import memspice as ms
from memspice.analysis.statistics import (
    chips_accuracy,
    paired_difference,
    student_half_width,
)
from memspice.errors import ConfigError, IncompleteResults
from memspice.jobs.attempts import WorkerLost
from memspice.jobs.scheduler import LocalScheduler
from memspice.network import inference
from memspice.store import read_run
from tests.cli_helpers import DIGITS, call
from tests.dask_helpers import Cluster, local_cluster
from tests.faults import kills
from tests.kill_helpers import content
from tests.settings import Setting

#: Cells, stuck cells and neurons differ from chip to chip.
FLAWED = {
    "synapse.variation": 0.2,
    "synapse.stuck_off": 0.05,
    "neuron.threshold_spread": 0.05,
}
SETUP = Setting(network="digits-mlp", images=110, cycles=4, seed=3, changes=FLAWED)
CHIPS = 3


def run(**values: Any) -> ms.results.ChipsResult:
    return replace(SETUP).run_chips(CHIPS, **values)  # mapped anew


@pytest.fixture(scope="module")
def found() -> ms.results.ChipsResult:
    return run(execution=ms.Execution(workers=1))


def steady(out: Path) -> dict[str, Any]:
    everything = content(out)
    return {**everything, "summary": kills.steady(everything["summary"])}


def test_chip_n_is_the_chip_of_seed_plus_n_to_the_bit(found: ms.results.ChipsResult) -> None:
    alone = [replace(SETUP, seed=SETUP.seed + number).run() for number in range(CHIPS)]
    for cycles, answers in found.answers_at.items():
        np.testing.assert_array_equal(answers, [one.answers_at[cycles] for one in alone])
    assert list(found.spike_rates) == [one.spike_rate for one in alone]
    assert [found.of_chip(number) for number in range(CHIPS)] == [one.accuracy for one in alone]
    assert found.ann_accuracy == alone[0].ann_accuracy
    # They are different chips.
    assert len({tuple(rates.values()) for rates in found.spike_rates}) == CHIPS


def test_energies_are_those_of_each_chip_alone() -> None:
    setup = replace(SETUP, images=4)
    several = ms.Chips(setup.chip, 2).run(setup.pictures, cycles=4, energy_windows=3)
    alone = [replace(setup, seed=setup.seed + n).run(energy_windows=3) for n in range(2)]
    assert [each.energy.total for each in several.sampled_energies] == [
        each.sampled_energy.energy.total for each in alone
    ]


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_change_nothing(found: ms.results.ChipsResult, workers: int) -> None:
    again = run(execution=ms.Execution(workers=workers))
    assert kills.steady(again.as_json()) == kills.steady(found.as_json())
    for cycles, answers in found.answers_at.items():
        np.testing.assert_array_equal(again.answers_at[cycles], answers)


class Dying(LocalScheduler):
    """Every so many calls a worker dies."""

    def __init__(self, every: int) -> None:
        self.every, self.calls = every, 0

    def call(self, function: Any, *arguments: Any, cancel: Any) -> Any:
        self.calls += 1
        if self.calls % self.every == 0:
            raise WorkerLost("it is gone")
        return super().call(function, *arguments, cancel=cancel)


def dying(monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    class Opened:
        def __enter__(self) -> Dying:
            return Dying(every)

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(inference, "open_scheduler", lambda _: Opened())


def test_a_worker_that_dies_costs_one_attempt(
    found: ms.results.ChipsResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying(monkeypatch, 3)
    again = run(execution=ms.Execution(workers=1, retries=1))
    assert kills.steady(again.as_json()) == kills.steady(found.as_json())


def test_a_batch_that_fails_every_time_ends_the_run_and_keeps_the_rest(
    found: ms.results.ChipsResult, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "run.h5"
    with monkeypatch.context() as patch:
        dying(patch, 5)
        with pytest.raises(IncompleteResults, match="images 50 to 99 failed 1 times: it is gone"):
            run(execution=ms.Execution(workers=1, retries=0), out=out)
    with read_run(out) as stored:
        assert len(stored.jobs()) == 4
    done: list[str] = []
    plain = inference.run_batch

    def counted(*arguments: Any) -> Any:
        done.append("batch")
        return plain(*arguments)

    monkeypatch.setattr(inference, "run_batch", counted)
    resumed = run(out=out, resume=True)
    assert len(done) == 3 * CHIPS - 4
    assert kills.steady(resumed.as_json()) == kills.steady({**found.as_json(), "out": str(out)})


def test_a_run_file_has_every_chip(found: ms.results.ChipsResult, tmp_path: Path) -> None:
    one, other = tmp_path / "one.h5", tmp_path / "other.h5"
    run(execution=ms.Execution(workers=1), out=one)
    run(execution=ms.Execution(workers=3), out=other)
    assert steady(one) == steady(other)
    loaded = ms.load(one)
    assert isinstance(loaded, ms.results.ChipsResult)
    for cycles, answers in found.answers_at.items():
        np.testing.assert_array_equal(loaded.answers_at[cycles], answers)
    assert loaded.accuracy == found.accuracy


def test_mean_and_interval_over_chips_and_images(found: ms.results.ChipsResult) -> None:
    right, accuracy = found.correct(), found.accuracy
    assert right.shape == (CHIPS, SETUP.images)
    assert accuracy is not None
    assert accuracy.value == pytest.approx(right.mean())
    assert 0 <= accuracy.low < accuracy.value < accuracy.high <= 1
    # Both sources of chance count: never narrower than chips alone leave it.
    assert accuracy.value - accuracy.low >= student_half_width(right.mean(axis=1))
    ann = np.broadcast_to(found.ann_correct(), right.shape)
    assert found.loss == paired_difference(ann, right)


def test_interval_of_a_mean_accuracy_covers_the_truth() -> None:
    """Chips and images both differ: 95 % asked for, by simulation."""
    rng, covered, runs, truth = np.random.default_rng(5), 0, 400, 0.7
    for _ in range(runs):
        chip = rng.normal(0, 0.03, (8, 1))
        image = np.where(rng.random(300) < truth, 0.25, -0.25 * truth / (1 - truth))
        right = rng.random((8, 300)) < np.clip(truth + chip + image, 0, 1)
        found = chips_accuracy(right)
        covered += found.low <= truth <= found.high
    # Three standard errors of a proportion of 0.95 in 400 runs are 3.3 points; wider is no fault.
    assert covered / runs >= 0.917
    assert chips_accuracy(np.ones((3, 20), bool)).high == 1.0


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_numbers_of_chips_that_make_no_sense(count: int) -> None:
    with pytest.raises(ConfigError, match="must be 1 to 10,000"):
        ms.Chips(SETUP.chip, count)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("infer", *DIGITS, "--images", 20, "--cycles", 2, "--set",
             "variation=0.3")  # fmt: skip
    several = call(capsys, *words, "--chips", 2, "--json").content
    assert (several["chips"], several["snn_accuracy"]["n"]) == (2, 20)
    seeds = [call(capsys, *words, "--seed", n, "--json").content for n in range(2)]
    assert [item["snn_accuracy"] for item in several["by_chip"]] == [
        item["snn_accuracy"] for item in seeds
    ]
    assert "mean of 2 chips" in call(capsys, *words, "--chips", 2).out
    refused = call(capsys, *words, "--chips", 2, "--fidelity", "reduced")
    assert (refused.code, "each with its --seed" in refused.err) == (2, True)


# --- on a cluster ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with local_cluster(tmp_path_factory.mktemp("cluster"), 2) as made:
        yield made


@pytest.mark.slow
def test_a_cluster_whose_worker_is_killed_gives_the_same_to_the_bit(
    found: ms.results.ChipsResult, cluster: Cluster
) -> None:
    victim, killed = cluster.workers[0], []

    def kill(_: str, done: int, total: int) -> None:
        if done > SETUP.images and not killed:  # the first batch of the first chip
            victim.kill()
            killed.append(total - done)

    there = ms.Execution(scheduler=str(cluster.file), workers=4)
    again = run(execution=there, progress=kill)
    assert killed[0] > 0
    assert victim.wait() != 0
    assert kills.steady(again.as_json()) == kills.steady(found.as_json())
    for cycles, answers in found.answers_at.items():
        np.testing.assert_array_equal(again.answers_at[cycles], answers)
