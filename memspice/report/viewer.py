"""A page to look at the waveforms of a run: one HTML file that needs nothing else, no server.

The arrays lie in it as they lie in the store, every float64 to the bit, compressed; its script
(``templates/viewer.js``) unpacks those of the job that is looked at.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from memspice.errors import ConfigError
from memspice.experiment.results.events import Events
from memspice.network.batch import Window
from memspice.outputs import write_text
from memspice.plot.panels import Panel, panels
from memspice.store import Column, JobRecord, RunFile, phases_of

#: Most waveform data of a page, [bytes]: a browser holds it all, as text.
LARGEST = 1 << 28
#: Neuron of a signal, by its number in the deck, and what it is of it.
_OF_NEURON = re.compile(r"neuron(\d+)\.(.+)")


def write_viewer(
    path: Path, run: RunFile, jobs: Sequence[str] = (), fast: Events | None = None
) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
        HTML file; replaced when it exists.
    run : RunFile
        Open.
    jobs : sequence of str
        Names; all jobs that have a result by default.
    fast : Events, optional
        What the closed form says of the same events, of one layer.

    Raises
    ------
    ConfigError
        If there is no job, or more than `LARGEST` bytes of waveforms.
    StoreError
        If a job is missing or damaged, or the page cannot be written.
    """
    content = _content(run, jobs or [info.name for info in run.jobs()], fast)
    environment = Environment(
        loader=PackageLoader("memspice.report"), autoescape=True, undefined=StrictUndefined
    )
    # In a script element, text ends only where an element could begin.
    text = json.dumps(content, allow_nan=False).replace("<", "\\u003c")
    page = environment.get_template("viewer.html.j2").render(run=content["run"], content=text)
    write_text(path, page)


def _content(run: RunFile, names: Sequence[str], fast: Events | None) -> dict[str, Any]:
    jobs, size = [], 0
    for name in names:
        record = run.job(name)
        size += record.time.nbytes * (1 + len(record.signals))
        if size > LARGEST:
            raise ConfigError(
                f"the waveforms of {run.path} are more than {LARGEST >> 20} MiB, too many for one "
                "page: name the jobs to look at (memspice waves ls lists them)"
            )
        if not record.failed:
            jobs.append(_job(record, fast))
    if not jobs:
        raise ConfigError(f"{run.path} has no job with a result: there is nothing to look at")
    made = run.provenance
    engine = f"{made.engine.get('name', '')} {made.engine.get('version', '')}".strip()
    facts = {"file": run.path.name, "status": run.status, "engine": engine, "seed": str(made.seed)}
    return {"run": facts | {"command": made.command}, "jobs": jobs}


def _job(record: JobRecord, fast: Events | None) -> dict[str, Any]:
    facts = record.attributes
    stop = float(record.time[-1]) if record.time.size else 0.0
    spans = phases_of(facts, stop)
    return {
        "name": record.name,
        "layer": record.name.split("/")[0],
        "window": _window_name(record),
        "first": facts.get("first_output", 0),
        "cycle_time": facts.get("cycle_time", stop),
        "begin": min((span.start for span in spans), default=0.0),
        "phases": [[span.name, span.start, span.stop] for span in spans],
        "time": _packed(record.time),
        "panels": _panels(record.signals),
        "events": _events(record, fast),
    }


def _window_name(record: JobRecord) -> str:
    """What all jobs of one window have in common."""
    facts = record.attributes
    if "image" not in facts:
        return record.name
    return f"image {facts['image']}, position {facts['position']}, {facts['fidelity']}"


def _panels(signals: Mapping[str, Column]) -> dict[str, list[dict[str, Any]]]:
    """Axes of each neuron of the deck, by its number; those of what belongs to none by ``""``."""
    owners: dict[str, dict[str, Column]] = {}
    for name, column in signals.items():
        found = _OF_NEURON.fullmatch(name)
        owners.setdefault(found[1] if found else "", {})[name] = column
    return {owner: [_panel(each, own) for each in panels(own)] for owner, own in owners.items()}


def _panel(panel: Panel, signals: Mapping[str, Column]) -> dict[str, Any]:
    lines = [{"name": name, "data": _packed(signals[name][0])} for name in panel.names]
    return {"quantity": panel.quantity, "unit": panel.unit, "signals": lines}


def _packed(values: np.ndarray) -> str:
    """Little-endian float64 in zlib's format, as base64."""
    return base64.b64encode(zlib.compress(values.astype("<f8").tobytes())).decode("ascii")


def _events(record: JobRecord, fast: Events | None) -> dict[str, list[Any]] | None:
    """Columns of events, and the closed form's hazard and spike where it is known."""
    if "spike" not in record.events or not record.attributes["spiking"]:
        return None
    found = {name: np.asarray(values) for name, (values, _) in record.events.items()}
    if (model := _fast_hazard(record, fast)) is not None:
        found |= {"model_hazard": model, "model_spike": (model >= found["threshold"]) * 1}
    return {name: values.tolist() for name, values in found.items()}


def _fast_hazard(record: JobRecord, fast: Events | None) -> np.ndarray | None:
    """Hazard integrals of the closed form for a job's events, (events,)."""
    facts = record.attributes
    window = Window(str(facts["layer"]), int(facts["image"]), int(facts["position"]))
    if fast is None or window not in fast.windows:
        return None
    first, count = int(facts["first_output"]), int(facts["outputs"])
    hazard = fast.hazard[fast.windows.index(window)][:, first : first + count]
    return np.asarray(hazard).ravel()
