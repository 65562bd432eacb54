"""Pixels as row pulses of few levels: what a burst makes of them, in loop, windows and joules."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from memspice.circuits.pulse_code import PulseCode
from memspice.errors import ConfigError
from memspice.experiment.against_cmos import load_cmos
from memspice.experiment.operations import converter_energy
from memspice.network.architecture import Architecture, Conv, Dense, Pool
from memspice.network.batch import Window
from memspice.network.inference import run_inference
from memspice.network.mapping import MappedNetwork
from memspice.windows.fidelity import window_jobs
from memspice.windows.surrogate import surrogate_events
from tests.helpers import fidelity_of
from tests.loop_helpers import SEED, every_window, make_images, make_mapped
from tests.settings import Setting

LEVELS = {"row_driver.kind": "levels"}
STEPS, BURST, CYCLES, IMAGES = 4, 3, 6, 3


@pytest.fixture(scope="module")
def mapped() -> MappedNetwork:
    return make_mapped(changes=LEVELS)


@pytest.mark.parametrize("cycles", [1, 2, 3, 8, 32])
def test_a_run_carries_the_nearest_of_its_levels(cycles: int) -> None:
    code, levels = PulseCode(STEPS), STEPS * cycles
    exact = np.arange(levels + 1) / levels
    steps = STEPS * code.pulses(exact[None], range(cycles))
    np.testing.assert_array_equal(steps, np.rint(steps))
    np.testing.assert_array_equal(steps.sum(axis=0), np.arange(levels + 1))
    # evenly: at no time more than half a step from a straight line, in cycles to come neither
    line = np.arange(1, cycles + 1)[:, None] * exact * STEPS
    assert np.abs(steps.cumsum(axis=0) - line).max() <= 0.5
    later = STEPS * code.pulses(exact[None], range(cycles, 3 * cycles))
    np.testing.assert_array_equal(
        (steps.sum(axis=0) + later.sum(axis=0)), 3 * np.arange(levels + 1)
    )
    assert (steps.min(), steps.max()) == (0, STEPS)
    pixels = np.sort(np.random.default_rng(0).random(1000))
    mean = code.pulses(pixels[None], range(cycles)).mean(axis=0)
    assert np.all(np.diff(mean) >= 0)
    assert np.abs(mean - pixels).max() <= 1 / (2 * levels)


def test_frames_keep_their_cycles_together() -> None:
    pixels, code = make_images(2), PulseCode(STEPS)
    together = code.pulses(pixels, range(3, 6))
    alone = [code.pulses(pixels[n : n + 1], range(3, 6)) for n in range(2)]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_rows_of_any_level_carry_pixels_as_they_are() -> None:
    pixels, code = make_images(1), PulseCode(None)
    assert code.pulses(pixels, range(2)) is pixels
    assert code.range(pixels) == (pixels[pixels > 0].min(), pixels.max())
    assert code.notes(8, 8) == []


def test_loop_and_windows_carry_the_same_pixels(mapped: MappedNetwork) -> None:
    windows = every_window(mapped, IMAGES)
    images = make_images(IMAGES)
    found = run_inference(mapped, images, CYCLES, SEED, burst=BURST, windows=windows)
    for layer in mapped.layers[:-1]:
        spikes = 0
        for position in range(layer.positions):
            window = Window(layer.name, 1, position)
            for job in window_jobs(
                layer,
                window,
                found.windows[window],
                fidelity_of("surrogate"),
                seed=SEED,
                burst=BURST,
            ):
                spikes += int(np.sum(surrogate_events(job)["hazard"] >= job.stimulus().thresholds))
        assert spikes == found.spikes_per_image[layer.name][1]
    rows = found.windows[Window("conv1", 1, 7)]
    assert set(np.unique(rows * STEPS)) <= set(range(STEPS + 1))
    plain = run_inference(make_mapped(), images, CYCLES, SEED, burst=BURST, windows=windows)
    pixels = plain.windows[Window("conv1", 1, 7)]
    np.testing.assert_array_equal(rows, PulseCode(STEPS).pulses(pixels[:1], range(CYCLES)))
    assert not np.array_equal(found.spikes_per_image["conv1"], plain.spikes_per_image["conv1"])


@pytest.mark.parametrize("events", [1 << 21, 900])
def test_exact_pixels_give_the_spikes_of_rows_of_any_level(
    mapped: MappedNetwork, monkeypatch: pytest.MonkeyPatch, events: int
) -> None:
    monkeypatch.setattr("memspice.network.batch.EVENTS", events)
    images = np.rint(make_images(IMAGES) * STEPS * BURST) / np.float32(STEPS * BURST)
    coded = run_inference(mapped, images, CYCLES, SEED, burst=BURST)
    plain = run_inference(make_mapped(), images, CYCLES, SEED, burst=BURST)
    np.testing.assert_array_equal(coded.scores, plain.scores)
    for name, spikes in coded.spikes_per_image.items():
        np.testing.assert_array_equal(spikes, plain.spikes_per_image[name])


def test_without_bursts_cycles_take_turns(mapped: MappedNetwork) -> None:
    """Two levels next to a pixel, whatever group of cycles the loop takes at a time."""
    window, images = Window("conv1", 0, 7), make_images(1)
    runs = [run_inference(mapped, images, cycles, SEED, windows=[window]) for cycles in (32, 8)]
    rows = [found.windows[window] for found in runs]
    np.testing.assert_array_equal(rows[0][:8], rows[1])
    np.testing.assert_array_equal(runs[0].scores_at[8], runs[1].scores)
    assert (np.ptp(rows[0], axis=0) <= 1 / STEPS).all()
    plain = run_inference(make_mapped(), images, 1, SEED, windows=[window]).windows[window]
    assert np.abs(rows[0].mean(axis=0) - plain[0]).max() <= 1 / (2 * STEPS * 32)


def test_levels_that_drivers_do_not_have_are_refused() -> None:
    twice = Architecture("twice", (2, 8, 8), (Conv(3), Pool(2), Pool(2), Dense(4), Dense(2)))
    with pytest.raises(ConfigError, match="dense2 has rows of 17 levels .* have 5: use pools"):
        make_mapped(twice, changes=LEVELS)
    image = Architecture("image", (2, 8, 8), (Pool(2), Pool(2), Dense(4), Dense(2)))
    make_mapped(image, changes=LEVELS)  # pixels are coded behind their pools


def test_inputs_need_no_converter(mapped: MappedNetwork) -> None:
    prices, windows = load_cmos().converters.values, every_window(mapped, IMAGES)
    images = make_images(IMAGES)
    found = run_inference(mapped, images, CYCLES, SEED, burst=BURST, windows=windows)
    state = cast(Any, SimpleNamespace(iterations=[SimpleNamespace(inference=found)]))
    request = cast(Any, SimpleNamespace(mapped=mapped, cycles=CYCLES, burst=BURST))
    joules = converter_energy(request, state, prices)
    assert [joules[layer.name][0] for layer in mapped.layers[:-1]] == [0.0] * 3
    last = mapped.layers[-1]
    bursts = CYCLES // BURST
    assert joules[last.name][0] == pytest.approx(last.outputs * bursts * prices.output_conversion)


def test_a_reader_is_told() -> None:
    for burst, words in ((4, "17 of a drive, 17 of all 4 cycles"), (1, "5 of a drive, 17 of all")):
        setting = Setting("digits-mlp", cycles=4, burst=burst, changes=LEVELS)
        assert any(words in note for note in setting.request().notes)


@pytest.mark.ngspice
def test_spice_integrates_coded_pixels() -> None:
    """Each pulse of a burst has rows of its own; joules of the drivers to 1 %."""
    setting = Setting("digits-mlp", cycles=2, burst=2, changes=LEVELS)
    found = setting.simulate("dense1", "reduced").as_json()
    assert found["verdict"]["holds"]
    assert found["spikes"]["mismatches"] == 0
    closed = setting.simulate("dense1", "surrogate").as_json()
    joules = [each["energy_joule"]["driver"] for each in (found, closed)]
    assert joules[0] == pytest.approx(joules[1], rel=0.01)
