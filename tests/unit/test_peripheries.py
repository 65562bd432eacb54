"""Peripheries: what stands around the array, and what each refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import memspice as ms
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.blocks.subcircuit import SubcircuitStage
from memspice.circuits.sense_surface import SenseSurface, Sheet, SurfaceError
from memspice.circuits.timing import schedule
from memspice.cli.options import PERIPHERY_NAMES
from memspice.errors import ConfigError, DataError
from memspice.experiment import chip as chip_module
from memspice.parameters import load_parameter_set
from memspice.parameters.peripheries import BEHAVIOURAL, PERIPHERIES
from memspice.resources import resource_path

SET = load_parameter_set("fast-memristor", periphery="freepdk45")
LINE = 140e-6  # S


def needs(ohm: float, line: float = LINE) -> SenseNeeds:
    return SenseNeeds(ohm, 10e-6, (line, line), 23e-9, "own", "a test")


def stage(ohm: float, line: float = LINE) -> SubcircuitStage:
    found = SET.sense.sized(needs(ohm, line))
    assert isinstance(found, SubcircuitStage)
    return found


def test_the_command_line_names_all_peripheries() -> None:
    assert tuple(PERIPHERIES) == PERIPHERY_NAMES


def test_transistors_take_the_place_of_models() -> None:
    usual = load_parameter_set("fast-memristor")
    assert SET.array.driver_resistance < usual.array.driver_resistance
    # a write pulse begins when the stage holds its drive
    assert SET.timing.settle == stage(400e3).circuit.rows[1] > usual.timing.settle
    assert (SET.neuron.kind, SET.latch.kind) == ("switched-memristor", "strongarm")  # type: ignore[attr-defined]
    assert SET.neuron.device == usual.neuron.device
    assert SET.device_source == usual.device_source
    assert any("freepdk45" in note for note in SET.notes)
    # no converter makes the levels of rows, unless the set says what drives them
    assert SET.array.row_driver.steps == 4
    assert usual.array.row_driver.steps is None
    own = load_parameter_set("fast-memristor", {"row_driver.kind": "pulse"}, periphery="freepdk45")
    assert own.array.row_driver == usual.array.row_driver


def test_rows_make_up_for_the_gain_and_stages_for_the_conductance() -> None:
    gain = stage(1.0).design.gain
    for count in (1, 2, 9):
        # the joined drive follows the mean of what the stages would have
        for ohm in (20e3, 400e3):
            found = stage(ohm, count * LINE)
            assert found.multiplicity == count
            assert found.row_scale * gain / count == pytest.approx(ohm)
    assert stage(1.0, stage(1.0).conductances[1] * 1.001).multiplicity == 2


def between(least: float, most: float, low: float, high: float) -> SubcircuitStage:
    """Stages that bear lines of some conductances, for lines from a low to a high one, [S]."""
    design = replace(stage(1.0).design, conductances=(least, most))
    return design.sized(replace(needs(1.0), conductances=(low, high)))


def test_lines_of_few_cells_have_unused_ones_besides() -> None:
    least, most = 75e-6, 150e-6
    assert between(least, most, 1.1 * least, most).filled == 0
    few = between(least, most, 0.2 * least, 0.2 * least)
    # each line those that it lacks; wires take some off, so that one just above has some as well
    lines = np.array([0.2, 0.9, 1.0, 1.4]) * least
    assert few.unused(lines) == pytest.approx(np.array([0.8, 0.1, 0.0, 0.0]) * least)
    assert between(least, most, 1.02 * least, most).filled == least
    # a supply of its own holds the other end of them at the level of idle rows
    assert few.supplies["sense_unused"] == few.line_level
    assert "sense_unused" not in between(least, most, most, most).supplies


def test_stages_side_by_side_share_unused_cells() -> None:
    least, most = 75e-6, 150e-6
    lines = np.array([3 * least, 12 * most])
    found = between(least, most, *lines)
    assert found.multiplicity == 12
    assert lines / 12 + found.unused(lines) == pytest.approx([least, most])


def test_lines_of_bursts_are_all_filled_to_one_conductance() -> None:
    found = SET.sense.for_bursts(8).sized(replace(needs(1e5), conductances=(5e-6, 3e-4)))
    assert isinstance(found, SubcircuitStage)
    lines = np.array([5e-6, 1e-4, 3e-4])
    one = lines / found.multiplicity + found.unused(lines)
    assert one == pytest.approx(np.full(3, found.conductances[0]))


def test_unused_cells_take_joules_of_lines_that_leave_their_level() -> None:
    joules, relief, excursion = 1e-13, 2e-14, 3e-11
    few = stage(1.0, 0.2 * stage(1.0).conductances[0])
    sheet = np.broadcast_to([0.5, joules, relief, excursion], (*map(len, few.axes.nodes), 4))
    none = SurfaceError(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    ranges = (few.axes, few.conductances, few.pair)
    flat = SenseSurface(*ranges, Sheet(few.axes.nodes, sheet), (), 0.0, 0.0, 0.0, 0.0, none)
    measured, times = few.with_surface(flat), schedule(SET.timing)
    current, lines = np.full((3, 4), 2e-6), np.full(4, 0.2 * few.conductances[0])
    # two outputs; what unused cells take, the layer's own do not
    idle = 2 * 0.8 * few.conductances[0] * excursion
    found = measured.energy(current, lines, times, held=False)
    assert found == pytest.approx(np.full(3, 2 * joules + idle))
    assert measured.relief(current, lines) == pytest.approx(np.full(3, 2 * relief + idle))


def test_the_burst_chooses_the_stages() -> None:
    assert SET.sense.for_bursts(1) is SET.sense
    bursts = SET.sense.for_bursts(8)
    found = bursts.sized(needs(1e5))
    assert isinstance(found, SubcircuitStage)
    assert found.circuit.pulses == 8
    assert found.polarity == -1
    # the models of a set make a drive of any number
    usual = load_parameter_set("fast-memristor").sense
    assert usual.for_bursts(5) is usual


@pytest.mark.parametrize(("cycles", "burst"), [(1, 1), (4, 1), (8, 8), (12, 1), (24, 8)])
def test_a_run_is_of_bursts_where_its_cycles_are(cycles: int, burst: int) -> None:
    """On models a drive for every cycle; what a run says comes first."""
    chips = {
        name: ms.Chip("digits-mlp", ms.load_device("fast-memristor", name)) for name in PERIPHERIES
    }
    data = chips["freepdk45"].images(limit=1)
    assert chips["freepdk45"].request(data, cycles=cycles).burst == burst
    assert chips["freepdk45"].request(data, cycles=cycles, burst=1).burst == 1
    assert chips[BEHAVIOURAL].request(data, cycles=cycles).burst == 1


def test_a_set_s_own_sense_table_is_not_there_beside_transistors() -> None:
    with pytest.raises(ConfigError, match=r"sense\.bandwidth cannot be changed"):
        load_parameter_set("fast-memristor", {"sense.bandwidth": 2e9}, periphery="freepdk45")


def test_bursts_that_no_stage_is_for_are_refused_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chip_module, "measured_network", None)
    chip = ms.Chip("digits-mlp", ms.load_device("fast-memristor", "freepdk45"))
    with pytest.raises(
        ConfigError, match="burst = 4: .* drive of 1 or 8 row pulses; use burst = 8"
    ):
        chip.request(chip.images(limit=1), cycles=4, burst=4)


def test_a_drive_is_not_held_for_milliseconds() -> None:
    with pytest.raises(ConfigError, match=r"timing\.write = .* hold their drive for 1e-06 s"):
        load_parameter_set("ag-asi", periphery="freepdk45")


def test_an_unknown_periphery_is_refused() -> None:
    with pytest.raises(ConfigError, match="use behavioural, freepdk45"):
        load_parameter_set("fast-memristor", periphery="freepdk15")


# --- what a set names for itself ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "periphery"),
    [("fast-memristor", "freepdk45"), ("sot-mtj", BEHAVIOURAL), ("ag-asi", BEHAVIOURAL)],
)
def test_a_device_has_the_periphery_that_its_set_names(name: str, periphery: str) -> None:
    chosen = ms.load_device(name)
    assert (chosen.periphery, chosen.parameters.periphery) == (periphery, periphery)
    assert chosen.change(wire_resistance=2.0).periphery == periphery
    assert ms.load_device(name, BEHAVIOURAL).parameters.periphery == BEHAVIOURAL


def own_set(folder: Path, periphery: str, more: str = "") -> str:
    """File of a user's own, after the default set."""
    text = resource_path("fast-memristor.toml").read_text(encoding="utf-8")
    assert 'periphery = "freepdk45"\n' in text
    path = folder / "own.toml"
    path.write_text(text.replace('periphery = "freepdk45"\n', periphery) + more)
    return str(path)


def test_a_set_that_names_none_has_its_own_tables(tmp_path: Path) -> None:
    assert ms.load_device(own_set(tmp_path, "")).periphery == BEHAVIOURAL


def test_what_a_set_cannot_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'cmos7' is unknown: use behavioural, freepdk45"):
        ms.load_device(own_set(tmp_path, 'periphery = "cmos7"\n'))
    stage = '\n[sense]\nsubcircuit = "own.lib"\n'
    path = own_set(tmp_path, 'periphery = "freepdk45"\n')
    text = Path(path).read_text()
    Path(path).write_text(text[: text.index("[sense]")] + stage)
    with pytest.raises(DataError, match="are two sense stages; remove one"):
        ms.load_device(path)


def test_points_of_a_sweep_have_peripheries() -> None:
    """A name that is varied has the periphery that is asked for, as one that is not."""
    vary = {"periphery": [BEHAVIOURAL, "freepdk45"], "device": ["fast-memristor"]}
    asked = {"layer": "dense1", "fidelity": "surrogate", "cycles": 1}
    models, transistors = ms.sweep(vary, **asked).rows
    assert models["energy_joule"] > 2 * transistors["energy_joule"] > 0
    (same,) = ms.sweep({"device": ["fast-memristor"]}, periphery=BEHAVIOURAL, **asked).rows
    assert same["energy_joule"] == models["energy_joule"]
    with pytest.raises(ConfigError, match="is loaded with 'freepdk45' already"):
        ms.sweep({"seed": [0]}, device=ms.load_device("fast-memristor"), periphery=BEHAVIOURAL)
