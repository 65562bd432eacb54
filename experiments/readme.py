"""Put the output of an experiment between its two markers in the README or another page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

README = Path(__file__).resolve().parent.parent / "README.md"


def images_nature(dataset: Mapping[str, Any]) -> str:
    """What is known of the images, without their folder on this machine."""
    return "lossless images" if dataset["lossless"] else "images not verified as lossless"


def replace_block(name: str, text: str, page: Path = README) -> None:
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->``.

    Parameters
    ----------
    name : str
        Of the markers.
    text : str
        Lines to show as they are.
    page : Path
        Where the markers stand.
    """
    content = page.read_text(encoding="utf-8")
    page.write_text(replaced(content, name, text), encoding="utf-8")


def replaced(content: str, name: str, text: str) -> str:
    """Content of a page with the lines of ``text`` between the markers of ``name``."""
    before, rest = content.split(f"<!-- {name} -->\n")
    _, after = rest.split(f"<!-- /{name} -->")
    block = "\n".join(f"    {line}".rstrip() for line in text.splitlines())
    return f"{before}<!-- {name} -->\n\n{block}\n\n<!-- /{name} -->{after}"
