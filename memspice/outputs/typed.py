"""What a user types, as values."""

from __future__ import annotations

import re
from contextlib import suppress

from memspice.errors import ConfigError


def number_or_word(text: str) -> float | str:
    """A whole number stays one: some quantities are counts; a word names a kind."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def parse_tile(text: str) -> tuple[int, int]:
    """Rows and columns of ``ROWSxCOLS``.

    Raises
    ------
    ConfigError
        If it is of another form.
    """
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match:
        raise ConfigError(f"tile {text!r} must be ROWSxCOLS, for example 128x128")
    return int(match[1]), int(match[2])
