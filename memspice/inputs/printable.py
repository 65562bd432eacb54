"""Text of strangers made fit for a terminal."""

from __future__ import annotations

import unicodedata

# Letters of other scripts stay; what moves the cursor, colours, reorders or hides text does not.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


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
    if text.isascii() and text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    return "".join(
        c if c in kept or unicodedata.category(c) not in _HIDDEN else _escape(c) for c in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
