"""Every block of a page runs, every drawing is that of its script; for ``make docs-check``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.code.blocks import LANGUAGES, blocks, differences, run_page
from docs.code.figures import FOLDER, draw_all

DOCS = Path(__file__).resolve().parents[1]
PAGES = [
    path
    for path in sorted(DOCS.rglob("*.md"))
    if "generated" not in path.parts
    and any(block.language in LANGUAGES for block in blocks(path.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_blocks_print_what_the_page_shows(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMSPICE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    (tmp_path / "page").mkdir()
    outputs = run_page(path.read_text(encoding="utf-8"), tmp_path / "page")
    found = {output.command: lines for output in outputs if (lines := differences(output))}
    assert found == {}, f"python -m docs.code.blocks --write {path}"


def test_drawings_are_those_of_the_script(tmp_path: Path) -> None:
    draw_all(tmp_path)
    made = sorted(path.name for path in tmp_path.glob("*.svg"))
    changed = [name for name in made if drawing(tmp_path / name) != drawing(FOLDER / name)]
    assert made
    assert changed == [], "python -m docs.code.figures"


def drawing(path: Path) -> str:
    """Text of a figure, without the numbers of glyphs: they differ between builds of a font."""
    return re.sub(r"(DejaVuSans\w*)-[0-9a-f]+", r"\1", path.read_text(encoding="utf-8"))
