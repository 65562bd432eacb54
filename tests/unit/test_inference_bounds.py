"""What bounds the network loop, what it refuses, and unusual networks."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest

from memspice.errors import ConfigError, IncompleteResults
from memspice.jobs import Execution
from memspice.network.architecture import Architecture, Conv, Dense, Pool
from memspice.network.batch import Window, _groups, loop_of, run_batch
from memspice.network.inference import run_inference
from memspice.network.mapping import MappedNetwork
from memspice.network.switching import Calibration
from tests.loop_helpers import (
    CYCLES,
    IMAGES,
    SEED,
    every_window,
    loop_spikes,
    make_images,
    make_mapped,
)


@pytest.fixture(scope="module")
def mapped() -> MappedNetwork:
    return make_mapped()


def test_memory_does_not_grow_with_images_or_cycles(
    mapped: MappedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memspice.network.batch.EVENTS", 5_000)

    def peak(images: int, cycles: int) -> int:
        pixels = make_images(images)
        tracemalloc.start()
        run_inference(mapped, pixels, cycles, SEED, execution=Execution(workers=1))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(20, 10)  # gains of the crossbars and the like, once
    small = peak(20, 10)
    # Four times as much to do. Scores and counts of an image are 100 bytes; the spikes of all
    # images and cycles alone would be 600 * (180 + 36) bytes more, their patches 1.6 MB.
    assert peak(80, 10) < small + 5e4
    assert peak(20, 40) < small + 5e4


@pytest.mark.parametrize(
    ("images", "cycles", "frames"), [(7, 5, 11), (3, 9, 4), (5, 4, 4), (1, 1, 9)]
)
def test_groups_are_all_frames_once(images: int, cycles: int, frames: int) -> None:
    seen = np.zeros((images, cycles), int)
    for part, span in _groups(images, cycles, frames):
        assert (part.stop - part.start) * len(span) <= frames
        seen[part, span.start : span.stop] += 1
    assert (seen == 1).all()


def test_a_stop_is_heeded_between_groups(mapped: MappedNetwork) -> None:
    stop = threading.Event()
    stop.set()
    loop = loop_of(mapped, CYCLES, SEED)
    with pytest.raises(IncompleteResults, match="stopped before image 30, cycle 0"):
        run_batch(loop, make_images(), 30, (), stop)


@pytest.mark.parametrize(
    "window", [Window("conv1", IMAGES, 0), Window("conv2", 0, 9), Window("conv2", 0, -1)]
)
def test_windows_that_are_not_there_are_refused(mapped: MappedNetwork, window: Window) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        run_inference(mapped, make_images(), 1, SEED, windows=[window])


def test_windows_of_unknown_layers_are_refused(mapped: MappedNetwork) -> None:
    with pytest.raises(ConfigError, match="has no layer"):
        run_inference(mapped, make_images(), 1, SEED, windows=[Window("conv9", 0, 0)])


def test_hazards_that_fall_with_the_voltage_are_refused(mapped: MappedNetwork) -> None:
    with pytest.raises(ConfigError, match="log_hazard_gain = -1"):
        run_inference(
            mapped, make_images(), 1, SEED, calibration={"conv1": Calibration(log_hazard_gain=-1)}
        )


@pytest.mark.parametrize("layers", [(Dense(3),), (Pool(2), Conv(4), Dense(3)), (Pool(3), Dense(3))])
def test_networks_that_begin_or_end_early(layers: tuple[Conv | Pool | Dense, ...]) -> None:
    # A first layer without spikes, graded inputs of a pooling layer: the windows, each computed on
    # its own, have the same outcome.
    mapped = make_mapped(Architecture("other", (2, 6, 6), layers))
    last = mapped.layers[-1]
    windows = every_window(mapped, IMAGES)
    found = run_inference(mapped, make_images(), CYCLES, SEED, windows=windows)
    for layer in mapped.layers[:-1]:
        for image in range(IMAGES):
            spikes = loop_spikes(mapped, found, layer, image)
            assert found.spikes_per_image[layer.name][image] == spikes.sum()
    for image in range(IMAGES):
        rows = last.row_voltage(found.windows[Window(last.name, image, 0)])
        assert rows.shape == (CYCLES, last.rows)
        drive = np.concatenate([part.drive_voltage(rows) for part in last.circuits], axis=-1)
        expected = last.readout.scores(drive.mean(axis=0))
        np.testing.assert_allclose(found.scores[image], expected, rtol=1e-4, atol=1e-5)
