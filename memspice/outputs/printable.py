"""Text of strangers made fit for a terminal."""

from __future__ import annotations

import re
import unicodedata

# Letters of other scripts stay; what moves the cursor, colours, reorders or hides text does not.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_DOUBTFUL = re.compile(r"[^\x20-\x7e]")
_DOUBTFUL_IN_LINES = re.compile(r"[^\x20-\x7e\n\t]")


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return a text whose control characters are written as escapes.

    Parameters
    ----------
    text : str
        Any text, also one from a damaged or hostile file.
    lines : bool
        Whether ends of lines and tabs may stay: for whole texts, not for names.

    Returns
    -------
    str
        Without characters that move the cursor, colour, reorder or hide what is around them.

    Examples
    --------
    >>> printable("a\x1b[31mb\u202ec")
    'a\\x1b[31mb\\u202ec'
    """
    return (_DOUBTFUL_IN_LINES if lines else _DOUBTFUL).sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    character = match[0]
    if unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
