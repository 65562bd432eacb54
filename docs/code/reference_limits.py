"""What stands for a circuit, and what is left out: from the code's own lists."""

from __future__ import annotations

from docs.code.markdown import cell, table
from memspice.analysis.assumed import ASSUMED_LABELS, CIRCUIT_CONSTANTS
from memspice.experiment.summary import EXCLUDED
from memspice.parameters import PARAMETER_SETS, load_parameter_set


def pages() -> dict[str, str]:
    """Text of the two lists, which other pages include."""
    return {"assumed.md": assumed(), "excluded.md": "\n".join(f"- {cell(e)}" for e in EXCLUDED)}


def assumed() -> str:
    """Each component with the constants in the place of its circuit, and their labels."""
    labels = {
        name: {f"{v.table}.{v.name}": v.label for v in load_parameter_set(name).provenance}
        for name in PARAMETER_SETS
    }
    rows = []
    for component, constants in CIRCUIT_CONSTANTS.items():
        known = [name for name in constants if all(name in found for found in labels.values())]
        verdicts = [
            "assumed" if any(found[n] in ASSUMED_LABELS for n in known) else "simulated"
            for found in labels.values()
        ]
        if constants and not known:
            verdicts = ["priced" for _ in labels]
        shown = ", ".join(f"`{name}`" for name in constants) or "none"
        rows.append((f"`{component}`", shown, *verdicts))
    return table(("component", "constants in the place of a circuit", *PARAMETER_SETS), rows)
