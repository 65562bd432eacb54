"""Pieces of Markdown that the generated pages are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def cell(text: str) -> str:
    """Text in one line, its special characters as they are; what stands in backticks stays code."""
    parts = re.split(r"(`+[^`]+`+)", " ".join(text.split()))
    for number, part in enumerate(parts):
        characters = "|" if number % 2 else "\\|*_<$"
        parts[number] = "".join(f"\\{c}" if c in characters else c for c in part)
    return "".join(parts)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Table whose cells are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
