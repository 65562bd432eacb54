"""Where files are: those that travel with memspice (``models/``), and the user's cache."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from memspice.errors import DataError

#: A write failed for want of space: the disk's, the user's, or of the largest file allowed.
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PACKAGE = Path(__file__).resolve().parent


def resource_path(*parts: str) -> Path:
    """Path of a file or folder under ``models/``.

    Parameters
    ----------
    *parts : str
        Path below ``models/``, for example ``"networks", "digits-mlp.h5"``.

    Returns
    -------
    Path
        In ``memspice/models`` where memspice is installed from a wheel, else in the ``models``
        folder of the checkout.

    Raises
    ------
    DataError
        If it is in neither place.
    """
    places = [base.joinpath("models", *parts) for base in (_PACKAGE, _PACKAGE.parent)]
    for place in places:
        if place.exists():
            return place
    tried = " nor ".join(str(place) for place in places)
    raise DataError(
        f"{'/'.join(('models', *parts))} is in neither {tried}; "
        "check the name, or install memspice again"
    )


def cache_folder() -> Path:
    """Folder for what can be made or downloaded again: data sets, compiled models.

    Returns
    -------
    Path
        ``memspice`` in ``XDG_CACHE_HOME`` or ``~/.cache``; need not exist. A relative path in
        ``XDG_CACHE_HOME`` is ignored, as the XDG Base Directory Specification wants it.

    Raises
    ------
    DataError
        If there is no home folder either.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if Path(base).is_absolute():
        return Path(base) / "memspice"
    try:
        return Path.home() / ".cache" / "memspice"
    except RuntimeError as error:
        raise DataError(f"no folder for a cache: {error}; set XDG_CACHE_HOME") from error


def write_advice(error: OSError, variable: str) -> str:
    """What to try when a file could not be written.

    Parameters
    ----------
    error : OSError
        The failure; space is only an answer to the want of it.
    variable : str
        Environment variable that names another folder.
    """
    elsewhere = f"set {variable} to a folder that can be written"
    return f"free some space, or {elsewhere}" if error.errno in _NO_SPACE else elsewhere
