"""Published macros, with what their numbers include: to be read beside ours, not against them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memspice.inputs import read_input
from memspice.resources import resource_path

#: Largest file of them, [bytes].
LARGEST_FILE = 1 << 16


@dataclass(frozen=True)
class PublishedMacro:
    """A macro or chip as its authors report it.

    Parameters
    ----------
    name, process, precision, how, includes : str
        What it is, in which process, of which operands; whether it was measured or simulated; what
        the number includes.
    tops_per_watt : tuple of float, [1e12/J]
        Lowest and highest, one operation a multiplication or an addition.
    label, source : str
        ``S`` read at the source, ``R`` not verified there.
    """

    name: str
    process: str
    tops_per_watt: tuple[float, float]
    precision: str
    how: str
    includes: str
    label: str
    source: str

    @property
    def range(self) -> str:
        """Its TOPS/W in words."""
        low, high = self.tops_per_watt
        return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def published_macros() -> tuple[PublishedMacro, ...]:
    """Those of ``models/macros.toml``."""
    text = read_input(resource_path("macros.toml"), LARGEST_FILE).decode()
    content = tomllib.loads(text)
    words = content.pop("about")
    return tuple(_macro(words[name], values) for name, values in content.items())


def _macro(words: Mapping[str, str], values: Mapping[str, Any]) -> PublishedMacro:
    low, high = values["lowest"], values["highest"]
    ends = (low["value"], high["value"])
    return PublishedMacro(**words, tops_per_watt=ends, label=low["label"], source=low["source"])
