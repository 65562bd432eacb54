"""The page of ``memspice waves view`` in Chromium, beside what the store holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

import memspice as ms
from memspice.store import JobRecord, read_run

CYCLES = 3


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layer with the waveforms of every neuron."""
    out = tmp_path_factory.mktemp("run") / "run.h5"
    images = ms.load_images("digits", "test")[:2]
    layer = ms.Chip("digits-mlp", ms.load_device("fast-memristor", "behavioural"))["dense1"]
    layer.simulate(images, cycles=CYCLES, keep="all", options=ms.RunOptions(out=out))
    result = ms.load(out)
    with read_run(out) as stored:
        ms.report.write_viewer(out.with_suffix(".html"), stored, (), result.fast_events)
    return out


@pytest.fixture
def viewer(page: Page, run: Path) -> Page:
    page.goto(run.with_suffix(".html").as_uri())
    page.wait_for_selector("#values tbody tr")
    return page


def job_of(run: Path, image: int, neuron: int) -> tuple[JobRecord, int]:
    """Record of a neuron, and the neuron's number in it."""
    with read_run(run) as stored:
        for info in stored.jobs():
            job = stored.job(info.name)
            local = neuron - int(job.attributes["first_output"])
            if job.attributes["image"] == image and 0 <= local < int(job.attributes["outputs"]):
                return job, local
    raise AssertionError(f"no job has neuron {neuron}")


def pick(viewer: Page, image: int, neuron: int) -> None:
    viewer.get_by_label("Window").select_option(f"image {image}, position 0, reduced")
    viewer.get_by_label("Neuron").select_option(label=str(neuron))
    expect(viewer.locator("rect.chosen").first).to_be_attached()


def under_cursor(viewer: Page) -> tuple[float, dict[str, float]]:
    """Time [s] and values that the page shows, every digit."""
    rows = viewer.locator("#values tbody tr")
    names = rows.locator("td:first-child").all_inner_texts()
    exact = rows.locator("td.n").evaluate_all("all => all.map(cell => Number(cell.dataset.value))")
    time = float(viewer.locator("#at").get_attribute("data-value") or "nan")
    return time, dict(zip(names, exact, strict=True))


def check_against_store(viewer: Page, job: JobRecord, local: int) -> None:
    time, values = under_cursor(viewer)
    (point,) = np.flatnonzero(job.time == time)[:1]
    own = {name: each for name, each in job.signals.items() if name.startswith(f"neuron{local}.")}
    assert values == {name.partition(".")[2]: each[0][point] for name, each in own.items()}


@pytest.mark.parametrize(("image", "neuron"), [(0, 9), (1, 30)])
def test_a_value_under_the_mouse_is_that_of_the_store(
    viewer: Page, run: Path, image: int, neuron: int
) -> None:
    pick(viewer, image, neuron)
    job, local = job_of(run, image, neuron)
    box = viewer.locator("#plot").bounding_box()
    assert box
    for share in (0.3, 0.71):
        viewer.mouse.move(box["x"] + share * box["width"], box["y"] + 60)
        check_against_store(viewer, job, local)
    assert 0.5 * job.time[-1] < under_cursor(viewer)[0] < 0.8 * job.time[-1]


def test_keys_move_and_zoom(viewer: Page, run: Path) -> None:
    pick(viewer, 0, 3)
    job, local = job_of(run, 0, 3)
    viewer.locator("#plot").focus()
    start = int(np.flatnonzero(job.time == under_cursor(viewer)[0])[0])
    for key in ("+", "+", "ArrowRight", "Shift+ArrowRight", "ArrowLeft"):
        viewer.keyboard.press(key)
    assert under_cursor(viewer)[0] == job.time[start + 20]
    check_against_store(viewer, job, local)
    span = "shown.to - shown.from"
    assert viewer.evaluate(span) == pytest.approx((job.time[-1] - job.time[0]) / 4)
    viewer.keyboard.press("Home")
    assert viewer.evaluate(span) == pytest.approx(job.time[-1] - job.time[0])


def test_dragging_zooms_into_what_was_marked(viewer: Page) -> None:
    box = viewer.locator("#plot").bounding_box()
    assert box
    before = viewer.evaluate("[moment(300), moment(500)]")
    viewer.mouse.move(box["x"] + 300, box["y"] + 40)
    viewer.mouse.down()
    viewer.mouse.move(box["x"] + 500, box["y"] + 40)
    viewer.mouse.up()
    assert viewer.evaluate("[shown.from, shown.to]") == pytest.approx(before)
    viewer.locator("#plot").dblclick(position={"x": 400, "y": 40})
    assert viewer.evaluate("shown.to - shown.from") > before[1] - before[0]


def test_a_cycle_shows_its_event_and_both_answers(viewer: Page, run: Path) -> None:
    pick(viewer, 1, 17)
    job, local = job_of(run, 1, 17)
    viewer.get_by_label("Cycle").select_option("2")
    mine = (job.events["neuron"][0] == local) & (job.events["cycle"][0] == 2)
    facts = viewer.locator("#event").inner_text().split("\n")
    shown = dict(zip(facts[::2], facts[1::2], strict=True))
    assert float(shown["draw E"]) == pytest.approx(job.events["threshold"][0][mine][0], rel=1e-5)
    assert float(shown["hazard integral H"]) == pytest.approx(
        job.events["hazard"][0][mine][0], rel=1e-5
    )
    assert shown["spike"] == ("yes" if job.events["spike"][0][mine][0] else "no")
    assert shown["spike in closed form"] == shown["spike"]
    start, stop = viewer.evaluate("[shown.from, shown.to]")
    period = float(job.attributes["cycle_time"])
    assert (start, stop) == pytest.approx((2 * period, 3 * period))


def test_dots_and_rings_are_the_spikes_of_both(viewer: Page, run: Path) -> None:
    result = ms.load(run)
    assert isinstance(result, ms.results.LayerResult)
    fast = result.closed_form.hazard >= result.closed_form.draw
    for image in (0, 1):
        pick(viewer, image, 0)
        assert viewer.locator("#raster .slow").count() == result.events.spike[image].sum()
        assert viewer.locator("#raster .fast").count() == fast[image].sum()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 500])
def test_narrow_and_wide_light_and_dark(viewer: Page, width: int, scheme: str) -> None:
    viewer.set_viewport_size({"width": width, "height": 900})
    viewer.emulate_media(color_scheme=scheme)
    viewer.get_by_label("Cycle").select_option("1")
    assert viewer.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(viewer)
    assert found.violations_count == 0, found.generate_report()
