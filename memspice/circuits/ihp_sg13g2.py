"""IHP SG13G2: PSP cards of 130 nm transistors, read from the package ``ihp-gdsfactory``.

The cards are IHP's, fitted to its silicon (Apache-2.0); the equations, PSP 103.6 in Verilog-A, come
with them (Educational Community License 2.0).  The package's own code is not imported.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path

from memspice.circuits.silicon import evaluated
from memspice.circuits.transistor_card import ProcessPackage, PspCard
from memspice.errors import ConfigError, DataError

PACKAGE = ProcessPackage("IHP SG13G2", "ihp-gdsfactory", "2.0.0")
#: Corners of the process: typical, slow and fast transistors, and slow of one kind (n, p) alone.
CORNERS = ("tt", "ss", "ff", "sf", "fs")
#: Core transistors of 1.2 V and 130 nm, and those of a thick oxide for 3.3 V.
KINDS = ("lv", "hv")
_FOLDER = "ihp/models/ngspice"
#: Transistors as drawn, of one finger; extracted layouts have another overlap.
_DRAWN = {"pre_layout": "1.0", "ng": "1.0"}
#: The type is the polarity, and the switch of warnings about voltages is off by itself.
_LEFT_OUT = frozenset({"type", "swsoa"})
_SIZES = frozenset({"w", "l"})
_CONSTANT = re.compile(r"^\s*\.param\s+(\w+)\s*=\s*(\S+)", re.MULTILINE)
_CARD = re.compile(r"^\.model sg13g2_(\wv_\wmos)_psp psp103va\b(.*)$", re.MULTILINE)
_SETTING = re.compile(r"(\w+)\s*=\s*(?:'([^']*)'|(\S+))")
_NAME = re.compile(r"(?<![\w.])[a-z_]\w*")


def transistor_cards(corner: str = "tt") -> dict[str, PspCard]:
    """Cards of a corner: ``sg13_lv_nmos``, ``sg13_lv_pmos``, ``sg13_hv_nmos``, ``sg13_hv_pmos``.

    Parameters
    ----------
    corner : {"tt", "ss", "ff", "sf", "fs"}

    Returns
    -------
    dict of str to PspCard
        ``lv``: 1.2 V, valid for 0.13 to 10 um of length and 0.15 to 10 um of width; ``hv``: 3.3 V,
        lengths from 0.45 um (n) or 0.4 um (p), widths from 0.3 um.

    Raises
    ------
    ConfigError
        If there is no such corner.
    DataError
        If the package is missing, of another version, or its files cannot be read.
    """
    if corner not in CORNERS:
        raise ConfigError(f"corner {corner!r} is unknown; use {', '.join(CORNERS)}")
    return {card.name: card for kind in KINDS for card in _cards(kind, corner)}


def psp_source() -> Path:
    """Verilog-A of PSP 103.6.

    Raises
    ------
    DataError
        If the package is missing or of another version.
    """
    return PACKAGE.file(f"{_FOLDER}/va/psp103/psp103.va")


@functools.cache
def _cards(kind: str, corner: str) -> tuple[PspCard, ...]:
    """Both polarities of a kind, the constants of a corner in the place of their names."""
    corners = PACKAGE.text(f"{_FOLDER}/models/cornerMOS{kind}.lib")
    section = re.search(rf"^\.LIB mos_{corner}\n(.*?)^\.ENDL", corners, re.MULTILINE | re.DOTALL)
    text = PACKAGE.text(f"{_FOLDER}/models/sg13g2_mos{kind}_parm.lib")
    found = _CARD.findall(re.sub(r"\n\+", " ", re.sub(r"^\s*\*.*\n", "", text, flags=re.M)))
    if section is None or len(found) != 2:
        raise DataError(f"{PACKAGE.name} has no cards {kind} of corner {corner}; {PACKAGE.install}")
    constants = {name.lower(): value for name, value in _CONSTANT.findall(section[1])} | _DRAWN
    return tuple(
        PspCard(f"sg13_{name}", name.partition("_")[2], _values(settings, constants))
        for name, settings in found
    )


def _values(settings: str, constants: Mapping[str, str]) -> tuple[tuple[str, float | str], ...]:
    found = _SETTING.findall(settings)
    texts = {name.lower(): (quoted or plain).lower() for name, quoted, plain in found}
    return tuple(
        (name, _value(text, constants)) for name, text in texts.items() if name not in _LEFT_OUT
    )


def _value(text: str, constants: Mapping[str, str]) -> float | str:
    """Number of an expression; its text where it has the transistor's sizes in it."""

    def constant(found: re.Match[str]) -> str:
        return f"({constants[found[0]]})" if found[0] in constants else found[0]

    text = _NAME.sub(constant, text)
    return text if _SIZES & set(_NAME.findall(text)) else evaluated(text, {}, PACKAGE.name)
