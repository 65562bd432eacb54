"""No ratio of energies stands alone: scope, opponent, sensitivity, what is assumed are beside it.

Walks what people read: README, docs, the paper's page in both forms, a report, a terminal's text,
and every number of a summary.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from memspice.experiment.results.summary_file import cosim_from_summary
from memspice.report.html import write_report
from tests.report_helpers import example_summary

ROOT = Path(__file__).parents[2]
#: ``0.84x``, ``20 ×`` (no product of sizes), ``6.4 times less``.
FACTOR = re.compile(
    r"(?<![\w.])\d[\d.,]*\s*(?:[x×](?!\w)(?! ?\d)|times\s+(?:less|more|as much|the energy))"
)
#: Where a factor is one of energies.
ENERGY = re.compile(r"CMOS|energ|joule|[^\w][fpnuµm]J\b")
#: Columns of plain numbers that are ratios.
COLUMN = re.compile(r"CMOS (?:over|/) (?:ours|memristive|own)")
COMPANY = {
    "scope": re.compile(r"\bscopes?\b"),
    "opponent": re.compile(r"\b(?:adds?|additions?|ANN|opponent)\b"),
    "sensitivity": re.compile(r"one assumption\s+changed"),
    "assumed fraction": re.compile(r"\bassumed\b"),
}


def alone(unit: str) -> list[str]:
    """What the ratio of a unit of text lacks; nothing where there is no ratio."""
    found = FACTOR.search(unit) if ENERGY.search(unit) else None
    if found is None and not COLUMN.search(unit):
        return []
    return [name for name, pattern in COMPANY.items() if not pattern.search(unit)]


def markdown_units(text: str) -> Iterator[str]:
    """Paragraphs; rows of tables below their header; headings with their whole section."""
    for section in re.split(r"^(?=#+ )", text, flags=re.MULTILINE):
        heading, _, rest = section.partition("\n")
        if heading.startswith("#"):
            if FACTOR.search(heading):
                yield section
        else:
            rest = section
        for paragraph in re.split(r"\n\s*\n", rest):
            lines = paragraph.strip("\n").splitlines()
            if lines and lines[0].startswith("|"):
                yield from (f"{lines[0]}\n{row}" for row in lines[2:])
            else:
                yield paragraph


class Units(HTMLParser):
    """Texts of a page: rows of tables below their header, items, paragraphs, lists, headings."""

    WHOLE = ("tr", "li", "p", "dl", "figcaption", "title")

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.header = self.heading = ""
        self.open: list[tuple[str, list[str]]] = []
        self.cells: set[str] = set()
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.header = ""
        if tag == "tr":
            self.cells = set()
        self.cells.add(tag)
        if tag in (*self.WHOLE, "h1", "h2", "h3"):
            self.open.append((tag, []))

    def handle_data(self, data: str) -> None:
        for _, pieces in self.open:
            pieces.append(data)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            return
        text = " ".join(" ".join(self.open.pop()[1]).split())
        if tag in ("h1", "h2", "h3"):
            self.heading = text if FACTOR.search(text) else ""
        elif tag == "tr" and "td" not in self.cells:
            self.header = text
        else:
            header = self.header if tag == "tr" else self.heading if tag == "dl" else ""
            self.found.append(f"{header} {text}")


def pages() -> Iterator[tuple[str, list[str]]]:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")),
                 ROOT / "experiments/paper/page.md"):  # fmt: skip
        yield path.name, list(markdown_units(path.read_text(encoding="utf-8")))
    page = (ROOT / "experiments/paper/page.html").read_text(encoding="utf-8")
    yield "page.html", Units(page).found


@pytest.mark.parametrize(("name", "units"), list(pages()), ids=lambda value: str(value)[:20])
def test_no_ratio_of_a_page_stands_alone(name: str, units: list[str]) -> None:
    assert units
    assert {unit[:400]: lacks for unit in units if (lacks := alone(unit))} == {}, name


def test_pages_have_ratios_to_look_at() -> None:
    """Else the rule above would look at nothing."""
    counts = {name: sum(bool(FACTOR.search(u)) for u in units) for name, units in pages()}
    assert min(counts["README.md"], counts["page.md"], counts["page.html"]) >= 1


def test_no_ratio_of_a_report_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, example_summary(), [])
    units = Units(path.read_text(encoding="utf-8")).found
    assert sum(bool(FACTOR.search(unit) or COLUMN.search(unit)) for unit in units) > 9
    assert {unit: lacks for unit in units if (lacks := alone(unit))} == {}


def test_no_ratio_of_a_terminal_stands_alone() -> None:
    path = ROOT / "experiments" / "cifar_energy" / "summary.json"
    committed = json.loads(path.read_text(encoding="utf-8"))
    committed["dataset"]["source"] = "a folder"
    text = repr(cosim_from_summary(committed).against_cmos)
    assert len(FACTOR.findall(text)) >= 9
    assert alone(text) == []
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("path", ["cifar_energy/summary.json", "energy_ratio/result.json"])
def test_every_ratio_of_a_committed_summary_has_its_company(path: str) -> None:
    content = json.loads((ROOT / "experiments" / path).read_text(encoding="utf-8"))
    tables = [
        value
        for key, value in keyed(content)
        if key in ("ratio", "as_papers_count") and isinstance(value, dict)
    ]
    records = [item for table in tables for item in leaves(table)]
    assert len(records) >= 12
    for record in records:
        assert set(record) == {
            "value", "low", "high", "sensitivity", "assumed_fraction", "opponent_assumed_fraction",
        }  # fmt: skip
        assert record["sensitivity"]["low"]["change"]


def keyed(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from keyed(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keyed(inner)


def leaves(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Mappings of a table of ratios that hold no further table."""
    if "value" in value:
        yield value
    else:
        for inner in value.values():
            yield from leaves(inner)


@pytest.mark.parametrize(
    "text",
    [
        "CMOS takes 19.0x more", "20.9 × less energy", "about 6.4 times less energy than CMOS",
        "457 times more, not less, than the same network in CMOS",
        "scope system: 0.84x of CMOS with 16 bit adds, 96 % assumed",
        "| scope | CMOS over ours |\n| system | 0.84 |",
    ],
)  # fmt: skip
def test_the_rule_finds_a_ratio_that_stands_alone(text: str) -> None:
    assert alone(text)


@pytest.mark.parametrize(
    "text",
    [
        "64 x 64 cells and their energy", "a tile of 128x16, 3 nJ", "--positions 3 x faster",
        "scope system: 0.84x, CMOS with 16 bit adds (0.4 to 2 with one assumption changed), "
        "96 % assumed",
    ],
)  # fmt: skip
def test_the_rule_leaves_what_is_no_ratio_or_not_alone(text: str) -> None:
    assert not alone(text)
