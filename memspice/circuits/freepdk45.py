"""FreePDK45: BSIM4 cards of 45 nm transistors, in ``models/freepdk45/cards-*.spi``.

The numbers are NCSU's, on the predictive technology model of Arizona State University (Apache-2.0);
the files say where they were taken from.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from memspice.circuits.transistor_card import TransistorCard
from memspice.errors import ConfigError
from memspice.resources import resource_path

#: Corners of the process: nominal, slow and fast transistors of both kinds.
CORNERS = ("nom", "ss", "ff")
_CARD = re.compile(r"^\.model (\w+) (\w+) level=54((?: \w+=\S+)+)$", re.MULTILINE)
_SETTING = re.compile(r"(\w+)=(\S+)")


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
    """
    if corner not in CORNERS:
        raise ConfigError(f"corner {corner!r} is unknown; use {', '.join(CORNERS)}")
    return {card.name: card for card in _cards(corner)}


@functools.cache
def _cards(corner: str) -> tuple[TransistorCard, ...]:
    text = resource_path("freepdk45", f"cards-{corner}.spi").read_text(encoding="ascii")
    return tuple(_parse(text.replace("\n+", "")))


def _parse(text: str) -> Iterator[TransistorCard]:
    for name, polarity, settings in _CARD.findall(text):
        numbers = ((key, float(value)) for key, value in _SETTING.findall(settings))
        yield TransistorCard(name, polarity, tuple(numbers))
