"""An engine's answer taken apart: its raw file, its words, its exit status."""

from __future__ import annotations

import array
import re
import sys
from pathlib import Path

#: Input and raw file of each kind, and the file that holds its words.
FILES = {"ngspice": ("deck.cir", "out.raw", "log"), "vacask": ("deck.sim", "result.raw", "stdout")}


class Raw:
    """A raw file taken apart: header, variables (name, kind), and one column of numbers each."""

    def __init__(self, content: bytes) -> None:
        head, _, body = content.partition(b"Binary:\n")
        first, _, rest = head.decode().partition("Variables:\n")
        self.header = first.splitlines()
        self.variables = [line.split()[1:] for line in rest.splitlines()]
        values = array.array("d", body)
        count = len(self.variables)
        self.columns = [values[k::count] for k in range(count)]

    @property
    def points(self) -> int:
        return len(self.columns[0])

    def head(self) -> bytes:
        """Header with the counts of what is there now."""
        counts = {"No. Variables": len(self.variables), "No. Points": self.points}
        lines = []
        for line in self.header:
            key = line.partition(":")[0]
            lines.append(f"{key}: {counts[key]}" if key in counts else line)
        rows = [f"\t{k}\t{name}\t{kind}" for k, (name, kind) in enumerate(self.variables)]
        return "\n".join([*lines, "Variables:", *rows, ""]).encode()

    def body(self, code: str = "d") -> bytes:
        values = array.array(code, bytes(8 if code == "d" else 4) * self.points * len(self.columns))
        for k, column in enumerate(self.columns):
            values[k :: len(self.columns)] = array.array(code, column)
        return values.tobytes()

    def content(self) -> bytes:
        return self.head() + b"Binary:\n" + self.body()

    def named(self, part: str) -> list[int]:
        """Columns whose names match a pattern: ngspice's ``v(x.h)`` is VACASK's ``x:h``."""
        return [k for k, (name, _) in enumerate(self.variables) if re.search(part, name)]

    def keep(self, rows: slice) -> None:
        self.columns = [column[rows] for column in self.columns]


class Run:
    """What an engine leaves behind: files, exit status; a lie changes them."""

    def __init__(self, kind: str, kept: Path, key: str) -> None:
        self.input, self.raw_name, self.log_name = FILES[kind]
        self.kind, self.kept, self.key = kind, kept, key
        self.status = 0

    @property
    def raw_path(self) -> Path:
        return Path(self.raw_name)

    def raw(self) -> Raw:
        return Raw(self.raw_path.read_bytes())

    def write(self, raw: Raw) -> None:
        self.raw_path.write_bytes(raw.content())

    def say(self, line: str) -> None:
        if self.log_name == "stdout":
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        else:
            with Path(self.log_name).open("a") as file:
                file.write(line + "\n")
