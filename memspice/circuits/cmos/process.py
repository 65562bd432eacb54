"""The transistors that digital cells are made of: memspice's own cards, or those of a process."""

from __future__ import annotations

from memspice.circuits.freepdk45 import transistor_cards
from memspice.circuits.library import Library, read_library
from memspice.errors import ConfigError
from memspice.resources import resource_path

#: Own cards, from published values of PTM; and FreePDK45's, which analogue circuits have, too.
PROCESSES = ("ptm", "freepdk45")


def process_transistors(process: str, corner: str = "nom") -> Library | None:
    """Transistors of a process, under the names that the cells use.

    Parameters
    ----------
    process : {"ptm", "freepdk45"}
    corner : {"nom", "ss", "ff"}
        Of FreePDK45.

    Returns
    -------
    Library or None
        None for ``ptm``: its transistors are models that every deck finds by name.

    Raises
    ------
    ConfigError
        If there is no such process or corner.
    DataError
        If the cards are not installed.
    """
    if process not in PROCESSES:
        raise ConfigError(f"process {process!r} is unknown; use {', '.join(PROCESSES)}")
    if process == "ptm":
        return None
    return read_library(resource_path("freepdk45", "cmos45.lib"), transistor_cards(corner))
