"""How a result reads: one table, in a terminal as text and in a notebook as HTML."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass

from memspice.outputs import printable

#: A table fits a screen: lines and columns of its text.
LINES, COLUMNS = 20, 80
_LABEL = 15


@dataclass(frozen=True)
class Table:
    """A title over rows of a label and a value; notes say where the result is less than asked for.

    Of the notes so many lines are shown as fit; the rows are shown whole.

    Parameters
    ----------
    title : str
        What was done, in one line.
    rows : tuple of (str, str)
        Label and value; a row without a label goes on with the one above.
    notes : tuple of str
        In the order of their weight.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """Lines of at most 80 columns, 20 where notes can be left out."""
        title = _wrapped(self.title, "", "  ")
        rows = [line for label, value in self.rows for line in _row(label, value)]
        notes = [line for note in self.notes for line in _row("note", note)]
        room = max(LINES - len(title) - len(rows), 0)
        if len(notes) > room:
            left = f"... {len(self.notes)} in all: see .notes, or --json"
            notes = [*notes[: max(room - 1, 0)], *_row("", left)]
        return printable("\n".join([*title, *notes, *rows]), lines=True)

    def html(self) -> str:
        """The same for a notebook."""
        rows = [("note", note) for note in self.notes] + list(self.rows)
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for label, value in rows
        )
        return f"<table><caption>{html.escape(self.title)}</caption>{cells}</table>"


def _row(label: str, value: str) -> list[str]:
    """Lines of a row; a label alone is a line of its own."""
    if not value:
        return _wrapped(label, "  ", "    ")
    return _wrapped(value, f"  {label:{_LABEL}}", " " * (2 + _LABEL))


def _wrapped(text: str, first: str, later: str) -> list[str]:
    """Lines that keep the spaces within, for columns to stand below each other."""
    if len(first) + len(text) <= COLUMNS:
        return [f"{first}{text}".rstrip()]
    return textwrap.wrap(text, COLUMNS, initial_indent=first, subsequent_indent=later)
