"""The built site as a reader has it: offline, from a folder, on a wide and on a narrow screen.

Needs Chromium (``apt install chromium``, or ``CHROMIUM=/path/to/it``) and the built pages; run by
``make docs-check``, not by ``make test``.
"""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SITE = Path(__file__).resolve().parents[2] / "build" / "docs"
PAGES = sorted(str(path.relative_to(SITE)) for path in SITE.rglob("*.html"))
#: Where a reader's time goes: looked at by the accessibility checker, in both colour schemes.
READ = (
    "index.html", "first-half-hour.html", "concepts.html", "howto/device.html", "simulated.html",
    "gallery.html", "search.html", "python.html", "notebooks/first_layer.html",
    "notebooks/sceptic.html",
    "reference/generated/command-line.html",
    "reference/generated/parameters.html", "reference/generated/run-file.html",
)  # fmt: skip
WIDTHS = (1400, 500)


def address(name: str) -> str:
    return (SITE / name).as_uri()


def test_there_are_pages() -> None:
    assert len(PAGES) > 25
    assert set(READ) <= set(PAGES)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    wide = {}
    for name in PAGES:
        page.goto(address(name))
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            wide[name] = needed
    assert wide == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", READ)
def test_accessibility_checker_finds_nothing(page: Page, name: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(address(name))
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_search_works_from_the_folder(page: Page) -> None:
    page.goto(address("index.html"))
    page.locator(".sidebar-search").first.fill("hazard integral")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    links = page.locator("#search-results li a").all_inner_texts()
    assert "Concepts" in links


def test_pictures_have_words_and_are_there(page: Page) -> None:
    for name in PAGES:
        page.goto(address(name))
        bad = page.eval_on_selector_all(
            "article img", "all => all.filter(i => !i.alt || !i.naturalWidth).map(i => i.src)"
        )
        assert bad == [], name


class Anchors(HTMLParser):
    """What a page can be asked for, and what it points at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key == "id" and value:
                self.ids.add(value)
            if key in ("href", "src") and value and tag != "link":
                self.links.append(value)


def test_every_internal_link_leads_somewhere() -> None:
    parsed = {name: Anchors((SITE / name).read_text("utf-8")) for name in PAGES}
    broken = []
    for name, found in parsed.items():
        for link in found.links:
            target, anchor = urldefrag(link)
            target = target.partition("?")[0]
            if ":" in target.partition("/")[0]:
                continue  # another site
            path = ((SITE / name).parent / unquote(target)).resolve() if target else SITE / name
            there = path.is_file()
            if there and anchor and path.suffix == ".html":
                there = unquote(anchor) in parsed[str(path.relative_to(SITE))].ids
            if not there:
                broken.append(f"{name}: {link}")
    assert broken == []
