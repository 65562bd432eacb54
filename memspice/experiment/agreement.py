"""What a reader must doubt in a layer's result: notes beside numbers that leave their limits."""

from __future__ import annotations

from memspice.analysis.comparison import MARGIN

#: Largest closure of an energy that stands without a note, relative to what the sources deliver.
CLOSURE_LIMIT = 1e-3


def agreement_notes(
    closure: float | None, hazard_deviation: float, score_deviation: float | None
) -> list[str]:
    """Say where energies do not close, or hazard integrals and scores leave the closed form.

    Parameters
    ----------
    closure : float or None, [1]
        Largest ``|delivered - dissipated - stored| / delivered``; None where nothing is balanced.
    hazard_deviation : float, [1]
        Largest relative difference of a hazard integral from the closed form.
    score_deviation : float or None, [1]
        Largest difference of a score, relative to the largest score; None for a spiking layer.

    Returns
    -------
    list of str
        Empty if everything is within its limit.
    """
    notes = []
    if closure is not None and closure > CLOSURE_LIMIT:
        notes.append(
            f"the energy closes to {closure:.1e} only, above {CLOSURE_LIMIT:.0e}: a current is not "
            "counted, or the steps are too long; the energies are not to be relied on"
        )
    if hazard_deviation > MARGIN:
        notes.append(
            f"a hazard integral is {hazard_deviation:.2%} off the closed form, above {MARGIN:.0%}: "
            "the surrogate's rates do not hold for this circuit"
        )
    if score_deviation is not None and score_deviation > MARGIN:
        notes.append(
            f"a score is off the closed form by {score_deviation:.2%} of the largest, above "
            f"{MARGIN:.0%}: the surrogate does not hold for this circuit"
        )
    return notes
