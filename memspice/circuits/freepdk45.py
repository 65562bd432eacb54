"""FreePDK45: BSIM4 cards of 45 nm transistors, read from the package ``c4m-pdk-freepdk45``.

The cards are NCSU's, on the predictive technology model of Arizona State University (Apache-2.0);
the package's own code needs much and is not imported.  A parameter that a card gives twice counts
as it stands last, which is how ngspice reads it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from memspice.circuits.transistor_card import ProcessPackage, TransistorCard
from memspice.errors import ConfigError, DataError

PACKAGE = ProcessPackage("FreePDK45", "c4m-pdk-freepdk45", "0.0.1")
#: Corners of the process: nominal, slow and fast transistors of both kinds.
CORNERS = ("nom", "ss", "ff")
#: The version is the card's own word, 4.0, which engines do not know apart; BSIM4 takes dtox only
#: where toxe or toxp is missing, which here they never are.
_LEFT_OUT = frozenset({"level", "version", "dtox"})
_SETTING = re.compile(r"(\w+)\s*=\s*([-+.\w]+)")


def transistor_cards(corner: str = "nom") -> dict[str, TransistorCard]:
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
    return PACKAGE.text(f"c4m/pdk/freepdk45/freepdk45_{corner}.spi")


def _parse(text: str) -> Iterator[TransistorCard]:
    joined = re.sub(r"\n\+", " ", re.sub(r"^\s*([*$].*)?\n", "", text, flags=re.MULTILINE))
    for line in joined.splitlines():
        words = line.split(maxsplit=3)
        if words[:1] != [".model"]:
            raise DataError(f"a card of {PACKAGE.name} begins with {line[:40]!r}; install it again")
        values = {name.lower(): value for name, value in _SETTING.findall(words[3])}
        numbers = tuple((k, float(v)) for k, v in values.items() if k not in _LEFT_OUT)
        yield TransistorCard(words[1].lower(), words[2].lower(), numbers)
