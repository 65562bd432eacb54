"""Where the files that travel with memspice are: parameter sets, subcircuits, network weights."""

from __future__ import annotations

from pathlib import Path

from memspice.errors import DataError

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
