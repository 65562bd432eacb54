"""Figures, summary and HTML page of a co-simulation, from its result."""

from __future__ import annotations

import json
from pathlib import Path

from memspice.errors import ConfigError
from memspice.experiment.results.cosim import CosimResult
from memspice.outputs import write_text
from memspice.report.html import ReportFigure, write_report
from memspice.report.pictures import FIGURES, SUFFIXES, pictures

#: Run file of the SPICE windows, in the folder of a co-simulation.
STORE = "waveforms.h5"
#: All files of such a folder.
COSIM_FILES = (
    "summary.json", "report.html", STORE,
    *(f"{name}{suffix}" for name in FIGURES for suffix in SUFFIXES),
)  # fmt: skip


def write_cosim_report(folder: Path, result: CosimResult) -> list[Path]:
    """Write ``summary.json``, the figures and ``report.html`` of a co-simulation.

    Parameters
    ----------
    folder : Path
        Where the files go.
    result : CosimResult
        Of this session: its network and all its jobs are drawn.

    Returns
    -------
    list of Path
        Files written.

    Raises
    ------
    ConfigError
        If the result was loaded from a file.
    """
    if result.state is None or result.request is None or result.transfer is None:
        raise ConfigError("a page needs the network and the curve of a co-simulation: run it again")
    summary, page = folder / "summary.json", folder / "report.html"
    content = result.as_json()
    write_text(summary, json.dumps(content, indent=1, allow_nan=False) + "\n")
    shown, written = [], [summary, page]
    for picture in pictures(result):
        files = picture.write(folder)
        shown.append(ReportFigure(picture.title, picture.caption, tuple(files)))
        written += files
    write_report(page, content, shown)
    return written
