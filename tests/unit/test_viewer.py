"""The page of ``memspice waves view``: what lies in it; docs/code/test_viewer.py looks at it."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from memspice.cli.waves import waves
from memspice.errors import ConfigError
from memspice.experiment.results.events import Events
from memspice.network.batch import Window
from memspice.plot.panels import panels
from memspice.report import viewer
from memspice.store import FAILED, JobRecord, read_run
from tests.store_helpers import record, write

FACTS = {
    "layer": "dense1", "image": 0, "position": 0, "fidelity": "reduced", "first_output": 4,
    "outputs": 2, "cycles": 2, "burst": 1, "spiking": True, "cycle_time": 1e-7,
}  # fmt: skip
EVENTS = {
    "cycle": (np.array([0, 0, 1, 1]), "1"),
    "neuron": (np.array([0, 1, 0, 1]), "1"),
    "drive": (np.full(4, 0.5), "V"),
    "threshold": (np.array([1.0, 2.0, 3.0, 4.0]), "1"),
    "hazard": (np.full(4, 2.5), "1"),
    "spike": (np.array([1, 1, 0, 0]), "1"),
}
SIGNALS = {
    "neuron1.drive": (np.linspace(0, 1.2, 30), "V"),
    "neuron1.bit_line_plus": (np.linspace(0, 3e-3, 30), "V"),
    "i(vdd)": (np.full(30, 1e-6), "A"),
}
JOB = replace(record(), name="dense1/a", attributes=FACTS, events=EVENTS, signals=SIGNALS)


def content_of(page: Path) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json" id="content">(.*)</script>',
                         page.read_text())  # fmt: skip
    return dict(json.loads(text))


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), "<f8")


def made(tmp_path: Path, *jobs: JobRecord, fast: Events | None = None) -> dict[str, Any]:
    with read_run(write(tmp_path / "run.h5", *jobs)) as run:
        viewer.write_viewer(tmp_path / "run.html", run, (), fast)
    return content_of(tmp_path / "run.html")


def test_page_holds_every_bit_of_every_signal(tmp_path: Path) -> None:
    (job,) = made(tmp_path, JOB)["jobs"]
    assert unpacked(job["time"]).tobytes() == JOB.time.tobytes()
    assert {key: [[s["name"] for s in panel["signals"]] for panel in each]
            for key, each in job["panels"].items()} == {
        "1": [["neuron1.drive"], ["neuron1.bit_line_plus"]], "": [["i(vdd)"]],
    }  # fmt: skip
    for each in job["panels"].values():
        for panel in each:
            for signal in panel["signals"]:
                values, unit = JOB.signals[signal["name"]]
                assert panel["unit"] == unit
                assert unpacked(signal["data"]).tobytes() == values.tobytes()


def test_closed_form_lies_beside_the_events_of_its_window(tmp_path: Path) -> None:
    hazard = np.arange(2 * 8, dtype=float).reshape(1, 2, 8)  # the layer has 8 neurons
    window = Window("dense1", 0, 0)
    fast = Events((window,), True, hazard, hazard, np.ones_like(hazard), hazard > 1)
    other = replace(JOB, name="dense1/b", key="b" * 64, attributes={**FACTS, "image": 1})
    mine, without = made(tmp_path, JOB, other, fast=fast)["jobs"]
    assert mine["events"]["model_hazard"] == [4.0, 5.0, 12.0, 13.0]
    assert mine["events"]["model_spike"] == [1, 1, 1, 1]
    assert "model_hazard" not in without["events"]


def test_nothing_in_a_file_becomes_part_of_the_page(tmp_path: Path) -> None:
    nasty = "</script><script>alert(1)</script><!--"
    job = replace(JOB, signals={nasty: (np.zeros(30), "V")})
    content = made(tmp_path, job)
    assert content["jobs"][0]["panels"][""][0]["signals"][0]["name"] == nasty
    page = (tmp_path / "run.html").read_text()
    assert page.count("</script>") == 2
    assert "http" not in re.sub(r'http-equiv|"http://www.w3.org/2000/svg"', "", page)


def test_command_writes_beside_the_run(tmp_path: Path) -> None:
    run = write(tmp_path / "run.h5", JOB, record(1))
    found = CliRunner().invoke(waves, ["view", str(run), JOB.name], catch_exceptions=False)
    assert found.output == f"{tmp_path / 'run.html'}: open it in a browser\n"
    assert [job["name"] for job in content_of(tmp_path / "run.html")["jobs"]] == [JOB.name]


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = JobRecord(key="f" * 64, name="dense1/f", attributes={"status": FAILED, "error": "x"})
    with pytest.raises(ConfigError, match="no job with a result"):
        made(tmp_path, failed)
    monkeypatch.setattr(viewer, "LARGEST", 900)
    (tmp_path / "run.h5").unlink()
    with pytest.raises(ConfigError, match="name the jobs to look at"):
        made(tmp_path, JOB)
    assert not (tmp_path / "run.html").exists()


def test_small_signals_have_an_axis_of_their_own() -> None:
    flat, unit = np.ones(3), "V"
    signals = {
        "big": (2 * flat, unit), "milli": (1e-3 * flat, unit), "zero": (0 * flat, unit),
        "near": (-0.2 * flat, unit), "micro": (2e-6 * flat, unit), "current": (flat, "A"),
        "state": (flat, "1"), "hazard": (1e-6 * flat, "1"),
    }  # fmt: skip
    assert [panel.names for panel in panels(signals)] == [
        ("big", "near"), ("milli",), ("zero", "micro"), ("current",), ("state", "hazard"),
    ]  # fmt: skip
