"""The page of a co-simulation in Chromium: on a screen, on a phone, on paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from memspice.plot import energy_figures, event_figures, save
from memspice.plot.style import own_style
from memspice.report.html import ReportFigure, write_report
from tests import report_helpers as examples

#: Of A4 between margins of 14 mm, in pixels of 1/96 inch.
PAPER = {"width": round((210 - 28) / 25.4 * 96), "height": round((297 - 28) / 25.4 * 96)}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    with own_style():
        save(energy_figures.energy_figure(examples.example_energy()), folder / "energy.svg")
        save(event_figures.pathwise_figure(**examples.example_events()), folder / "pathwise.svg")
    shown = [
        ReportFigure(name, "Of a test.", (folder / f"{name}.svg",))
        for name in ("energy", "pathwise")
    ]
    write_report(folder / "report.html", examples.example_summary(), shown)
    return folder / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 500])
def test_screen_and_phone_light_and_dark(page: Page, report: Path, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    columns = page.evaluate("getComputedStyle(document.querySelector('.hero')).gridTemplateColumns")
    assert len(columns.split()) == (1 if width == 500 else 2)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_every_figure_is_drawn(page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    widths = page.eval_on_selector_all("figure img", "all => all.map(image => image.naturalWidth)")
    assert len(widths) == 2
    assert min(widths) > 300


def test_no_table_is_parted_on_paper(page: Page, report: Path) -> None:
    page.set_viewport_size(PAPER)
    page.goto(report.as_uri())
    page.eval_on_selector_all("details", "all => all.forEach(each => { each.open = true; })")
    page.emulate_media(media="print")
    tables = page.eval_on_selector_all(
        "table, figure",
        """all => all.map(each => ({
            name: each.closest("section")?.id ?? "headline", height: each.offsetHeight,
            wide: each.scrollWidth, rule: getComputedStyle(each).breakInside,
        }))""",
    )
    assert len(tables) > 10
    # What may not be broken and is no higher than a page stays whole.
    assert [each for each in tables if each["rule"] != "avoid"] == []
    assert [each for each in tables if each["height"] > PAPER["height"]] == []
    assert [each for each in tables if each["wide"] > PAPER["width"]] == []
