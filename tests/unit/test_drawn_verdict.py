"""Verdict on decks whose transistors were drawn: as much as is stated as open, and no more."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import memspice as ms
from benchmarks.drawn_layers import DrawnDeck, chance, summary
from memspice.circuits.blocks.subcircuit import SubcircuitStage
from memspice.circuits.drawn_stages import AlikeStages, DrawnStages
from memspice.circuits.energy_model import closed_form_energy, neurons_of_layer
from memspice.network.batch import Window
from memspice.network.inference import run_inference
from memspice.windows.agreement import DEVIATIONS, ENERGY_LIMIT, judge, together
from memspice.windows.fidelity import window_jobs
from memspice.windows.outcome import Outcome, outcome
from memspice.windows.reduced import Reduced
from memspice.windows.surrogate import Surrogate
from tests.helpers import ngspice

BURST = 8


@cache
def decks() -> tuple[DrawnDeck, ...]:
    """Every output of a layer of a drawn chip, with what the closed form says in SPICE's place."""
    device = ms.load_device("fast-memristor", "freepdk45").change(**{"mismatch.area_spread": 2e-9})
    chip = ms.Chip("digits-mlp", device)
    request = chip.request(chip.images("test", 1), cycles=BURST, burst=BURST)
    window = Window("dense1", 0, 0)
    loop = run_inference(
        request.mapped, request.images.x, BURST, 0, burst=BURST, windows=[window], scored=False
    )
    layer, inputs = request.mapped.layer("dense1"), loop.windows[window]
    jobs = window_jobs(layer, window, inputs, Reduced(ngspice()), seed=0, burst=BURST)
    said = Surrogate()
    return tuple(DrawnDeck(job, outcome(said.run(replace(job, fidelity=said)))) for job in jobs)


def deck(*, apart: bool) -> DrawnDeck:
    return next(each for each in decks() if each.apart is apart)


def stages(each: DrawnDeck) -> tuple[SubcircuitStage, DrawnStages]:
    sense = each.job.circuit.sense
    assert isinstance(sense, SubcircuitStage)
    assert isinstance(sense.transistors, DrawnStages)
    return sense, sense.transistors


def moved(each: DrawnDeck, deviations: float) -> Outcome:
    """With a drive so many standard deviations of the residual off, and all that follows of it."""
    circuit, found = each.job.circuit, each.found
    drive = found.drive + deviations * each.residual
    hazard = np.exp(circuit.log_hazard(drive))
    neurons = neurons_of_layer(circuit, drive, hazard, found.thresholds, BURST)
    energy = {**found.energy, **{name: float(each.sum()) for name, each in neurons.items()}}
    spikes = hazard >= found.thresholds
    return replace(found, drive=drive, hazard=hazard, spikes=spikes, energy=energy)


def test_the_closed_form_is_within_its_own_limits() -> None:
    whole = together([each.verdict for each in decks()])
    assert whole.holds
    assert len(decks()) == 32  # decks of transistors have one output
    assert 0 < whole.pathwise.apart < 8 * 32
    assert whole.pathwise.events + whole.pathwise.apart == 8 * 32
    assert max(whole.energy_deviation.values()) == 0


def test_a_drive_may_be_off_by_the_residual_and_no_more() -> None:
    for each in decks():
        if not each.apart:
            assert all(
                judge(each.job, moved(each, side)).holds for side in (-DEVIATIONS, DEVIATIONS)
            )
    each = deck(apart=False)
    for side in (-1, 1):
        # beyond, the hundredth of a nominal stage is left: 0.25 of these deviations
        far = judge(each.job, moved(each, side * (DEVIATIONS + 1.5)))
        assert not far.holds
        assert "a hazard integral" in far.doubts[0]


def test_joules_of_a_stage_may_be_off_by_their_residual_and_no_more() -> None:
    each = deck(apart=False)
    sense, _ = stages(each)
    room = ENERGY_LIMIT + DEVIATIONS * sense.energy_residual
    assert sense.energy_residual > 0.01
    for name, side in itertools.product(("sense", "crossbar"), (-1, 1)):
        for share, holds in ((0.98, True), (1.02, False)):
            energy = {**each.found.energy}
            energy[name] *= 1 + side * share * room
            found = judge(each.job, replace(each.found, energy=energy))
            assert found.holds is holds
    # other components have no residual of joules
    energy = {**each.found.energy}
    energy["driver"] *= 1 + ENERGY_LIMIT + 0.01
    assert not judge(each.job, replace(each.found, energy=energy)).holds


def test_of_an_event_apart_only_its_number_counts_and_the_closure() -> None:
    each = deck(apart=True)
    lies: dict[str, Any] = {
        "drive": each.found.drive - 0.2,
        "spikes": ~each.found.spikes,
        "energy": {name: 2 * joules for name, joules in each.found.energy.items()},
    }
    found = judge(each.job, replace(each.found, **lies))
    assert found.holds
    assert (found.pathwise.apart, found.pathwise.events) == (8, 0)
    assert not found.energy_deviation
    assert not judge(each.job, replace(each.found, closure=0.1)).holds
    # beside another one that counts, its limits still do
    other = replace(deck(apart=False).verdict, drive_deviation=0.5)
    assert not together([found, other]).holds
    assert together([found, other]).energy_deviation == other.energy_deviation


def test_lines_off_their_level_relieve_the_cells() -> None:
    """Against the cells of each line, one by one; stages that are alike are the rest of it."""
    each = deck(apart=False)
    sense, own = stages(each)
    circuit, rows = each.job.circuit, each.job.row_voltage
    alike = replace(circuit, sense=replace(sense, transistors=AlikeStages()))
    off = own.mismatch.effect(own.thresholds)[0, 0]
    assert abs(off) > 1e-3
    thresholds, hazard = each.found.thresholds, each.found.hazard
    drawn, usual = (
        closed_form_energy(one, rows, hazard, thresholds, BURST) for one in (circuit, alike)
    )
    cells = circuit.conductances[0]
    watts = cells * ((rows.mean(axis=0)[:, None] - off) ** 2 - rows.mean(axis=0)[:, None] ** 2)
    expected = own.mismatch.held * BURST * watts.sum()
    # cells and drivers share it; wires take some off what is programmed
    found = sum(float((drawn[name] - usual[name]).sum()) for name in ("crossbar", "driver"))
    assert found == pytest.approx(expected, rel=0.03)
    assert found * off < 0  # lines above their level leave less to the cells


def test_joules_of_a_drawn_stage_follow_the_currents_on_which_it_acts() -> None:
    """A line held below its level carries more, and the stage takes more."""
    for each in decks():
        sense, own = stages(each)
        circuit, rows = each.job.circuit, each.job.row_voltage
        current, lines = circuit.line_current(rows), circuit.line_conductance
        nominal = replace(sense, transistors=AlikeStages())
        drawn, usual = (
            float(one.energy(current, lines, circuit.schedule, held=True).sum())
            for one in (sense, nominal)
        )
        off = own.mismatch.effect(own.thresholds)[0, 0]
        if abs(off) > 8e-3:  # more than what the mirror's ratio makes of it
            assert (drawn - usual) * off < 0


def test_a_summary_counts_what_decks_say() -> None:
    found = summary(decks())
    inside = [each for each in decks() if not each.apart]
    assert (found["events"], found["apart"]) == (8 * len(inside), 256 - 8 * len(inside))
    assert found["off"] == [0.0] * len(inside)
    assert (found["mismatches"], found["outside"], found["share"]) == (0, 0, 0)
    assert found["expected"] == pytest.approx(sum(e.verdict.pathwise.expected for e in inside))
    # by a normal error s of ln H the chance of a spike moves by s H exp(-H) sqrt(2 / pi)
    shares = []
    for each in inside:
        said = each.expected["hazard"]
        spread = each.residual * float(each.job.circuit.hazard_slope[0])
        shares.append((spread * said * np.exp(-said) * np.sqrt(2 / np.pi)).mean())
    assert found["share_expected"] == pytest.approx(np.mean(shares), rel=0.02)
    far = [DrawnDeck(each.job, moved(each, 6.0)) for each in inside]
    beyond = [0.3 < each.expected["hazard"][0, 0] < 30 for each in inside]
    assert summary(far)["outside"] >= sum(beyond) > 3
    assert summary(far)["off"] == pytest.approx([6 * each.residual for each in far])


def test_chance_of_a_number_of_disagreements() -> None:
    assert chance(0, 0.0) == 1
    assert chance(3, 3.0) == 1  # nothing is nearer
    assert chance(0, 3.0) == pytest.approx(2 * np.exp(-3))
    assert chance(2, 1e-6) == pytest.approx(1e-12, rel=1e-3)
