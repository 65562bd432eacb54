"""Reference pages that are written from the code: nobody keeps them in step by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

from docs.code import (
    reference_chip,
    reference_cli,
    reference_limits,
    reference_parameters,
    reference_python,
    reference_store,
)

PARTS = (
    reference_cli,
    reference_chip,
    reference_limits,
    reference_parameters,
    reference_python,
    reference_store,
)


def write_reference(folder: Path) -> None:
    """Write all generated pages into a folder, which holds nothing else.

    Parameters
    ----------
    folder : Path
        Is emptied first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for part in PARTS:
        for name, text in part.pages().items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
