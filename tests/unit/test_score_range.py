"""Scores of a last layer as drives: how large they are, and where they end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memspice.circuits.blocks.sense_design import HEADROOM
from memspice.network.inference import run_inference
from memspice.network.scales import END
from tests.loop_helpers import SEED, make_images, make_mapped

CYCLES, BURST = 8, 4


def test_scores_are_the_same_in_drives_of_any_size() -> None:
    # the largest score that the weights allow just fits then
    usual, larger = make_mapped(), make_mapped(changes={"answer.score_range": HEADROOM})
    volts = [mapped.layers[-1].volts_per_unit for mapped in (usual, larger)]
    assert volts[0] == pytest.approx(HEADROOM * volts[1], rel=1e-12)
    found = [run_inference(each, make_images(), CYCLES, SEED).scores_at for each in (usual, larger)]
    for cycles, scores in found[0].items():
        np.testing.assert_allclose(found[1][cycles], scores, rtol=1e-4, atol=1e-5)

    # and in less room it does not: nothing is silent about that
    small = run_inference(make_mapped(changes={"answer.score_range": 0.3}), make_images(), 8, SEED)
    assert small.scores_at[1].max() < 0.9 * found[0][1].max()
    assert small.ended > 0


def test_bursts_whose_highest_drive_ends_are_counted_and_noted() -> None:
    mapped = make_mapped()
    found = run_inference(mapped, make_images(), CYCLES, SEED, burst=BURST)
    assert found.ended == 0
    assert found.notes == []
    # scores after one burst, and the mean of two
    last, (one, both) = mapped.layers[-1], found.scores_at.values()
    scores = np.stack([one, 2 * both - one]) - last.programmed.offset
    highest = np.sort((scores * last.volts_per_unit).max(axis=-1), axis=None)
    # limits of which the last twentieth begins between two of them
    end = float(highest[8:10].mean()) / (1 - 2 * END)
    circuits = tuple(replace(each, write_limits=(-end, end)) for each in last.circuits)
    narrow = replace(mapped, layers=(*mapped.layers[:-1], replace(last, circuits=circuits)))
    again = run_inference(narrow, make_images(), CYCLES, SEED, burst=BURST)
    assert again.ended == pytest.approx((len(highest) - 9) / len(highest), rel=1e-12)
    assert f"ends in {again.ended:.2%} of bursts" in again.notes[0]
