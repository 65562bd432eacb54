"""The committed netlists are what the code makes; ngspice finds in them what they promise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from memspice.circuits.deck import WIDTH
from memspice.circuits.layer import LayerCircuit
from memspice.engines.base import Transient
from memspice.parameters import load_parameter_set
from memspice.verification import example_layers
from memspice.verification.example_layers import memristor_layer, mtj_layer
from memspice.verification.examples import EXAMPLES
from memspice.verification.netlists import golden_text, write_golden
from tests.helpers import ngspice, solver_options

FOLDER = Path(__file__).parents[2] / "netlists"
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.])", re.IGNORECASE)
#: Of a transient against a closed form, relative or in the probe's own unit: hazard integrals are
#: the least exact, the latch of the MTJ neuron is off its rails by 0.1 %.
TOLERANCE = 2e-3


def numbers_apart(text: str) -> tuple[str, np.ndarray]:
    """Text without its numbers, and the numbers."""
    return _NUMBER.sub("#", text), np.array([float(n) for n in _NUMBER.findall(text)])


@pytest.mark.parametrize("name", EXAMPLES)
def test_committed_netlist_is_what_the_code_makes(name: str) -> None:
    committed = (FOLDER / f"{name}.cir").read_text(encoding="utf-8")
    text, numbers = numbers_apart(committed)
    made_text, made_numbers = numbers_apart(golden_text(EXAMPLES[name]()))
    assert text == made_text, f"netlists/{name}.cir is not up to date: run `make golden`"
    # Not to the last digit: the port reduction goes through BLAS, which differs between machines.
    np.testing.assert_allclose(numbers, made_numbers, rtol=1e-9, err_msg="run `make golden`")


def test_folder_holds_the_examples_and_nothing_else() -> None:
    assert {path.stem for path in FOLDER.glob("*")} == set(EXAMPLES), "run `make golden`"


def test_write_golden_replaces_files(tmp_path: Path) -> None:
    folder = tmp_path
    paths = write_golden(folder)
    assert [path.stem for path in paths] == list(EXAMPLES)
    paths[0].write_text("old")
    assert "old" not in write_golden(folder)[0].read_text()


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_can_be_read(name: str) -> None:
    example = EXAMPLES[name]()
    lines = golden_text(example).splitlines()
    assert lines[0] == f"* memspice example: {example.title}"
    assert max(map(len, lines)) <= WIDTH
    for word in ("* Purpose: ", "* Source: ", "* Expected, by closed form:"):
        assert any(line.startswith(word) for line in lines)
    comments = sum(line.startswith("*") for line in lines)
    assert comments > len(example.probes) + 8
    assert all(0 < probe.time <= example.stop for probe in example.probes)


@pytest.mark.ngspice
@pytest.mark.parametrize("name", EXAMPLES)
def test_engine_finds_what_the_example_promises(name: str) -> None:
    example = EXAMPLES[name]()
    waveforms = ngspice().run(
        example.text,
        Transient(example.stop, example.max_step, from_rest=True),
        save=sorted({probe.signal for probe in example.probes}),
        options=solver_options(25 * example.max_step),
    )
    for probe in example.probes:
        found = np.interp(probe.time, waveforms.time, waveforms.signal(probe.signal))
        check(probe.name, float(found), probe.expected)


@pytest.mark.ngspice
@pytest.mark.parametrize("name", EXAMPLES)
def test_user_can_run_the_file_and_read_the_answer(name: str) -> None:
    program = shutil.which("ngspice")
    assert program is not None
    # BSIM4 asks OpenMP for threads that wait for each other on a busy machine.
    answer = subprocess.run(
        [program, "-n", "-b", FOLDER / f"{name}.cir"],
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    measured = dict(re.findall(r"^(\w+)\s+=\s+(\S+)$", answer.stdout, re.MULTILINE))
    for probe in EXAMPLES[name]().probes:
        check(probe.name, float(measured[probe.name]), probe.expected)


def check(name: str, found: float, expected: float) -> None:
    """Compare; a state variable may overshoot 1, which the device then takes as 1."""
    found = min(found, 1.0) if name.startswith("state") else found
    # Currents are of the order of microamperes, and exact.
    scale = 1e-6 if name.startswith("current") else 1.0
    assert found == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE * scale), name


def test_examples_spike_and_stay_silent() -> None:
    for name, make in EXAMPLES.items():
        spikes = {p.expected for p in make().probes if p.name.startswith("spike")}
        assert spikes == ({0.0, 1.0} if spikes else set()), name


@pytest.mark.parametrize(
    ("layer", "name"), [(memristor_layer(), "fast-memristor"), (mtj_layer(), "sot-mtj")]
)
def test_example_layers_have_the_values_of_the_parameter_sets(
    layer: LayerCircuit, name: str
) -> None:
    values = load_parameter_set(name)
    for part in ("neuron", "latch", "timing", "array"):
        assert getattr(layer, part) == getattr(values, part), part
    sizes = {"feedback_resistance", "difference_gain"}
    assert layer.sense.model_dump(exclude=sizes) == values.sense.model_dump()
    assert values.synapse.model_copy(update={"variation": 0.0}) == example_layers.SYNAPSE
