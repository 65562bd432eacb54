"""Code blocks of a page: run in their order, and what they print compared with what the page says.

A page is text for people; these of its fenced blocks are run, all of a page in one folder:

- ``console``: each line that begins with ``$ memspice`` is a command, the lines below it are what
  it prints.  A line ``...`` stands for any number of lines that the page does not show.
- ``python``: run in the names that the blocks above left behind; a ``text`` block right below it is
  what it prints.
- any other, with the comment ``<!-- file: NAME -->`` above it, is written into the folder.

A comment ``<!-- not run: REASON -->`` above a block excuses it.  Numbers may differ by one unit of
the last digit shown, those in the form 1e-5 (residuals of a solver) by a factor of ten; times of
a run and versions are not compared.  ``python -m docs.code.blocks --write PAGE`` puts what comes
out into the page instead.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memspice.cli.main import main as memspice

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(
    r"(?:^<!-- (?P<note>not run|file): (?P<words>[^\n]+?) -->\n+)?"
    r"^(?P<fence>`{3,})(?P<language>[\w{}-]*)[^\n]*\n(?P<body>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
LANGUAGES = ("console", "python")
ELLIPSIS = "..."
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
#: What differs from run to run and from machine to machine.
VARIES = (
    (re.compile(r"\b\d+(?:\.\d+)? s(?=$|[;,])"), "(time)"),
    (re.compile(r"\b(ngspice|vacask) [\d.]+\w*"), r"\1 (version)"),
    (re.compile(r"wall_seconds = .*"), "(time)"),
    # Time steps of a solver, in a list of jobs.
    (re.compile(r"^ *\d+(?=( +\d+){3} +\w+/)"), "(points)"),
)


class PageError(AssertionError):
    """A block that does not run, or prints something else than its page says."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page, from ``start`` to ``stop`` in the page's text."""

    language: str
    body: str
    start: int
    stop: int
    note: str = ""
    words: str = ""


@dataclass(frozen=True)
class Output:
    """What one command or one Python block printed, and where the page shows it."""

    command: str
    shown: str
    printed: str
    start: int
    stop: int


def blocks(page: str) -> list[Block]:
    """Fenced blocks of a page, in their order."""
    return [
        Block(
            found["language"], found["body"], *found.span("body"),
            found["note"] or "", found["words"] or "",
        )
        for found in FENCE.finditer(page)
    ]  # fmt: skip


def run_page(page: str, folder: Path) -> list[Output]:
    """Run the blocks of a page in a folder.

    Raises
    ------
    PageError
        If a command or a Python block fails, or the page has a command that is not ``memspice``.
    """
    found: list[Output] = []
    names: dict[str, Any] = {"__name__": "__page__"}
    listed = blocks(page)
    with contextlib.chdir(folder):
        for index, block in enumerate(listed):
            if block.note == "file":
                Path(block.words).write_text(block.body, encoding="utf-8")
            elif block.note or block.language not in LANGUAGES:
                continue
            elif block.language == "console":
                found += run_console(block)
            else:
                below = listed[index + 1] if index + 1 < len(listed) else None
                found += run_python(block, names, _printed_below(page, block, below))
    return found


def run_console(block: Block) -> Iterator[Output]:
    """Run the commands of a block of a terminal."""
    for part in re.finditer(r"^\$ (.+?(?:\\\n.+?)*)\n((?:(?!\$ ).*\n)*)", block.body, re.MULTILINE):
        words = shlex.split(part[1].replace("\\\n", " "))
        if words[0] != "memspice":
            raise PageError(f"$ {part[1]}: only memspice is run; say above it: not run, and why")
        printed = _captured(f"$ {part[1]}", lambda words=words: memspice(words[1:]))
        start, stop = (block.start + place for place in part.span(2))
        yield Output(part[1], part[2], printed, start, stop)


def run_python(block: Block, names: dict[str, Any], below: Block | None) -> Iterator[Output]:
    """Run a Python block in the names of its page."""
    code = compile(block.body, "<page>", "exec")
    printed = _captured(block.body, lambda: exec(code, names))
    if below is not None:
        yield Output(block.body, below.body, printed, below.start, below.stop)
    elif printed:
        raise PageError(f"{block.body}\nprints what the page does not show:\n{printed}")


def _captured(what: str, action: Any) -> str:
    """What an action prints; `PageError` where it fails."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            action()
    except SystemExit as stop:
        if stop.code:
            said = out.getvalue() + err.getvalue()
            raise PageError(f"{what}\nends with exit code {stop.code}:\n{said}") from stop
    except Exception as error:
        raise PageError(f"{what}\nfails: {type(error).__name__}: {error}") from error
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _printed_below(page: str, block: Block, below: Block | None) -> Block | None:
    """Return the block below a Python block if it shows what that prints."""
    if below is None or below.language != "text" or below.note:
        return None
    between = page[block.stop : below.start]
    return below if re.fullmatch(r"`+\s*`+text\n", between) else None


def differences(output: Output) -> list[str]:
    """Lines that a page shows and a command does not print, with what it prints instead."""
    shown, printed = output.shown.splitlines(), output.printed.splitlines()
    if ELLIPSIS in shown:
        cut = shown.index(ELLIPSIS)
        after = shown[cut + 1 :]
        printed = [*printed[:cut], *(printed[-len(after) :] if after else [])]
        shown = [*shown[:cut], *after]
    if len(shown) != len(printed):
        return [f"{len(shown)} lines are shown, {len(printed)} are printed:", *printed]
    return [
        f"{ours}\n  but prints\n{theirs}"
        for ours, theirs in zip(shown, printed, strict=True)
        if not alike(ours, theirs)
    ]


def alike(shown: str, printed: str) -> bool:
    """Whether two lines say the same (see the module's first lines)."""
    for pattern, mark in VARIES:
        shown, printed = pattern.sub(mark, shown), pattern.sub(mark, printed)
    ours, theirs = NUMBER.findall(shown), NUMBER.findall(printed)
    words = [" ".join(NUMBER.sub("#", line).split()) for line in (shown, printed)]
    return words[0] == words[1] and all(map(_near, ours, theirs))


def _near(shown: str, printed: str) -> bool:
    a, b = (float(text.replace(",", "")) for text in (shown, printed))
    if "e" in shown:
        return a * b > 0 and 0.1 < a / b < 10 or a == b == 0
    digits = len(shown.partition(".")[2])
    return abs(a - b) <= (1.01 * 10.0**-digits if digits else 0.0)


def rewritten(page: str, outputs: list[Output]) -> str:
    """Page with what its blocks print; a block that leaves lines out still does."""
    for output in reversed(outputs):
        lines, shown = output.printed.splitlines(keepends=True), output.shown.splitlines()
        if ELLIPSIS in shown:
            cut = shown.index(ELLIPSIS)
            after = len(shown) - cut - 1
            lines = [*lines[:cut], f"{ELLIPSIS}\n", *(lines[-after:] if after else [])]
        if not differences(output):
            continue  # no times of a run that change for nothing
        page = page[: output.start] + "".join(lines) + page[output.stop :]
    return page


def main() -> None:
    """Compare the pages that are named, or write into them what their blocks print."""
    parser = argparse.ArgumentParser(description="Run the code blocks of pages.")
    parser.add_argument("--write", action="store_true", help="put what is printed into the pages")
    parser.add_argument("pages", nargs="+", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("MPLBACKEND", "Agg")
    for path in options.pages:
        page = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            outputs = run_page(page, Path(folder))
        if options.write:
            path.write_text(rewritten(page, outputs), encoding="utf-8")
        elif found := [line for output in outputs for line in differences(output)]:
            sys.exit(f"{path}:\n" + "\n".join(found))


if __name__ == "__main__":
    main()
