"""Reference of the run file: the store's own words on its layout, and the tree of a real run."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import h5py
import numpy as np

from docs.code.markdown import cell, table
from memspice.cli.main import main as memspice
from memspice.store import schema

#: One job of it is shown.
RUN = ("simulate-layer", "--cycles", "1")
READING = """
## A run as it lies on the disk

`memspice {command} --out run.h5` made this file. JOB stands for its first job,
`{job}`; the others are like it. Read it with
`memspice waves`; every other reader of HDF5 does, too.
"""


def pages() -> dict[str, str]:
    """Text of the page."""
    doc = (inspect.getdoc(schema) or "").replace("::\n", "")
    first, layout, rest = split_layout(doc)
    with tempfile.TemporaryDirectory() as folder:
        rows, job = tree(example(Path(folder)))
    parts = [
        "# Run file (HDF5)",
        first.replace("`reading`", "`memspice.store.reading`"),
        f"```text\n{layout}\n```",
        rest.partition("References\n")[0].strip(),
        READING.strip().format(command=" ".join(RUN), job=job),
        table(("path", "what it holds", "attributes"), rows),
    ]
    return {"run-file.md": "\n\n".join(parts)}


def split_layout(doc: str) -> tuple[str, str, str]:
    """Words before the drawing of the layout, the drawing, and the words after it."""
    lines = doc.splitlines()
    drawn = [number for number, line in enumerate(lines) if line.startswith("    ")]
    start, stop = drawn[0], max(n for n in drawn if lines[n].strip()) + 1
    layout = "\n".join(line[4:] for line in lines[start:stop]).replace("``", "")
    return "\n".join(lines[:start]).strip(), layout, "\n".join(lines[stop:]).strip()


def example(folder: Path) -> Path:
    """Run a small layer, and return its file."""
    path = folder / "run.h5"
    home = {"MEMSPICE_CACHE": str(folder / "cache"), "TQDM_DISABLE": "1"}
    with patch.dict(os.environ, home), contextlib.redirect_stdout(io.StringIO()):
        memspice([*RUN, "--out", str(path)])
    return path


def tree(path: Path) -> tuple[list[tuple[str, str, str]], str]:
    """Every group and dataset of a run down to its first job, and that job's name."""
    with h5py.File(path) as file:
        rows = [("`/`", "NXroot", attributes(file)), *below(file, "")]
        layer = next(name for name, item in file.items() if name != "provenance")
        job = next(iter(file[layer]))
    return [(name.replace(job, "JOB"), *rest) for name, *rest in rows], job


def below(group: h5py.Group, path: str) -> Iterator[tuple[str, str, str]]:
    """Members of a group; of many jobs the first."""
    jobs = 0
    for name, item in group.items():
        jobs += item.attrs.get("NX_class") == "NXsubentry"
        if jobs > 1:
            return
        yield f"`{path}/{name}`", content(item), attributes(item)
        if isinstance(item, h5py.Group):
            yield from below(item, f"{path}/{name}")


def content(item: h5py.Group | h5py.Dataset) -> str:
    """Class of a group; type, shape and unit of a dataset."""
    if isinstance(item, h5py.Group):
        return str(item.attrs["NX_class"])
    kind = "text" if item.dtype.kind in "SO" else str(item.dtype)
    shape = f", shape {item.shape}" if item.shape and kind != "text" else ""
    unit = item.attrs.get("units", "1")
    return f"{kind}{shape}{'' if unit == '1' else f' [{unit}]'}"


def attributes(item: h5py.Group | h5py.Dataset) -> str:
    """Attributes with short values; those that are in the columns beside are left out."""
    found = []
    for name, value in item.attrs.items():
        if name in ("NX_class", "units", "long_name"):
            continue
        text = ", ".join(map(str, np.atleast_1d(value)))
        found.append(name if len(text) > 16 or "/" in text else f"{name} = {text}")
    return cell("; ".join(found))
