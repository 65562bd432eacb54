"""Several chips at a point, their run kept in a file until the point is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import memspice as ms


def run_chips(
    chip: ms.Chip, count: int, data: ms.Images, run: Path | None, **values: Any
) -> ms.results.ChipsResult:
    """Run a chip and those of the next seeds; goes on with what is in the run file, if any."""
    options = ms.RunOptions(out=run, resume=run is not None)
    return ms.Chips(chip, count).run(data, options=options, **values)


def setting_of(found: ms.results.ChipsResult) -> dict[str, Any]:
    """What decided a result, as JSON: configuration with its checksums, and versions."""
    made = found.provenance
    return {"config": made.config_sha256, "versions": dict(made.versions)}
