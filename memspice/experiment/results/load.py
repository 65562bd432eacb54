"""Results out of run files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from memspice.errors import StoreError
from memspice.experiment.results.chip import ChipResult
from memspice.experiment.results.chips import ChipsResult
from memspice.experiment.results.cosim import CosimResult
from memspice.experiment.results.layer import LayerResult
from memspice.experiment.results.plain import from_plain
from memspice.experiment.results.run import RunResult
from memspice.experiment.results.summary_file import cosim_from_summary
from memspice.experiment.results.sweep import SweepResult
from memspice.inputs import read_json
from memspice.store import read_run

#: Largest ``summary.json`` that is read, [bytes].
_LARGEST_SUMMARY = 1 << 26
KINDS: Mapping[str, type[RunResult]] = {
    kind.kind: kind for kind in (LayerResult, ChipResult, ChipsResult, CosimResult, SweepResult)
}


def load(path: Path | str) -> RunResult:
    """Load the result of a run file with all its records, or that of a ``summary.json``.

    Parameters
    ----------
    path : Path or str
        As ``save``, or ``out`` and ``--out`` of a run, have written it; of a co-simulation also
        its ``summary.json``.

    Returns
    -------
    LayerResult, ChipResult, ChipsResult, CosimResult or SweepResult
        As it was, but for its network and images: a run file has none.

    Raises
    ------
    StoreError
        If it is no run file, damaged, or of a run that has not ended.
    """
    if Path(path).suffix == ".json":
        return cosim_from_summary(read_json(path, _LARGEST_SUMMARY))
    with read_run(path) as run:
        content = dict(run.summary.get("result", {}))
        kind = KINDS.get(content.pop("kind", ""))
        if kind is None:
            raise StoreError(
                f"{path} has no result, the run is {run.status}: go on with it by --resume, or "
                "look at its jobs with memspice waves"
            )
        records = tuple(run.job(info.name) for info in run.jobs())
        provenance = run.provenance
    try:
        found = from_plain(kind, content, records=records, provenance=provenance)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path} holds a result of another memspice ({error})") from error
    return found
