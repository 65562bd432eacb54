"""Put the output of an experiment between its two markers in the README."""

from __future__ import annotations

from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def replace_block(name: str, text: str) -> None:
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->``.

    Parameters
    ----------
    name : str
        Of the markers.
    text : str
        Lines to show as they are.
    """
    content = README.read_text(encoding="utf-8")
    before, rest = content.split(f"<!-- {name} -->\n")
    _, after = rest.split(f"<!-- /{name} -->")
    block = "\n".join(f"    {line}".rstrip() for line in text.splitlines())
    content = f"{before}<!-- {name} -->\n\n{block}\n\n<!-- /{name} -->{after}"
    README.write_text(content, encoding="utf-8")
