"""The front door: its names, objects or names alike, results that read, save and compare."""

from __future__ import annotations

import ast
import html
import json
import sys
from dataclasses import FrozenInstanceError, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import pytest

import memspice as ms
from memspice.cli.execution import execution_options, run_options
from memspice.cli.options import ENGINE_NAMES
from memspice.engines import ENGINES
from tests.models import MODELS
from tests.settings import Setting

ROOT = Path(__file__).parents[2]


@cache
def slow() -> ms.results.LayerResult:
    """Closed form of a layer: what is tested here asks for no engine."""
    return Setting("digits-mlp", images=2, cycles=4).simulate("dense1", "surrogate")


@cache
def fast() -> ms.results.ChipResult:
    return Setting("digits-mlp", images=5, cycles=8).run()


@cache
def summary() -> dict[str, Any]:
    path = ROOT / "experiments" / "cifar_energy" / "summary.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["dataset"]["source"] = "a folder"
    content.setdefault("command", "")  # the committed one was made before summaries had it
    return dict(content)


# --- names ------------------------------------------------------------------------------------


def test_every_public_name_is_there_typed_and_listed_once() -> None:
    tree = ast.parse((ROOT / "memspice" / "__init__.py").read_text(encoding="utf-8"))
    typed = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "typing"
        for alias in node.names
    }
    assert typed == set(ms.__all__) == set(ms._HOMES)
    assert len(ms.__all__) == len(set(ms.__all__))
    assert set(ms.__all__) <= set(dir(ms))
    for name in ms.__all__:
        assert getattr(ms, name).__doc__, name


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'chip'"):
        _ = ms.chip


def test_options_say_what_the_library_has() -> None:
    assert set(ENGINE_NAMES) == set(ENGINES)
    given: dict[str, Any] = {}
    click.command(execution_options(given.update)).main([], standalone_mode=False)
    assert given == {"execution": ms.Execution(cache=True)}
    click.command(run_options(given.update)).main([], standalone_mode=False)
    execution, command = given["execution"], given["options"].command
    assert given["options"] == ms.RunOptions(execution=execution, command=command)


# --- devices ----------------------------------------------------------------------------------


def test_short_names_are_taken_where_one_table_has_them() -> None:
    device = MODELS.change(wire_resistance=5.0, variation=0.1)
    assert device.changes == {
        "array.wire_resistance_row": 5.0,
        "array.wire_resistance_col": 5.0,
        "synapse.variation": 0.1,
    }
    assert device.parameters.array.wire_resistance_col == 5.0
    assert device.value("variation") == 0.1
    assert device.value("neuron.on_resistance") == 1e6
    assert device.value("pair_correction") == 0
    assert MODELS.parameters.synapse.variation == 0.03
    assert "synapse.variation = 0.1" in repr(device)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "resistive"}, "say latch.kind or sense.kind"),
        ({"variatio": 0.1}, "no value variatio: nearest are variation"),
        ({"synapse.variatio": 0.1}, "synapse.variatio cannot be changed"),
        ({"wire_resistance": 1.0, "array.wire_resistance_row": 2.0}, "are both given for"),
        ({"variation": -1.0}, "must be at least 0"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(values: dict[str, float], words: str) -> None:
    with pytest.raises(ms.errors.ConfigError, match=words):
        MODELS.change(**values)


def test_objects_and_names_are_taken_alike() -> None:
    data = ms.load_images("digits", "test")[:5]
    device = MODELS
    one = ms.Chip("digits-mlp", MODELS).run(data, cycles=4)
    other = ms.Chip(ms.load_network("digits-mlp"), device, tile=(128, 128)).run(data, cycles=4)
    np.testing.assert_array_equal(one.answers, other.answers)
    assert one.spike_rate == other.spike_rate
    with pytest.raises(ms.errors.ConfigError, match="has its own engine"):
        ms.Chip("digits-mlp")["dense1"].simulate(data, fidelity=ms.Surrogate(), engine="ngspice")


# --- results ----------------------------------------------------------------------------------

#: One curve of the file of measured points.
CURVE = {"device": "B", "direction": "P->AP"}
RESULTS = pytest.mark.parametrize(
    "result",
    [
        slow, fast, lambda: slow().energy, lambda: slow().events,
        lambda: Setting("digits-mlp").chip,
        lambda: ms.results.cosim_from_summary(summary()),
        lambda: ms.results.cosim_from_summary(summary()).against_cmos,
        lambda: ms.results.cosim_from_summary(summary()).merit,
        lambda: ms.load_device("sot-mtj").with_flaws(),
        lambda: Setting("digits-mlp", images=3, cycles=4).run_chips(12),
        lambda: ms.sweep({"seed": list(range(30))}, device=MODELS, images=2, cycles=2),
        lambda: ms.fit(ROOT / "models/points/sot-mtj-0p75ns.csv", where=CURVE, repeats=99),
        lambda: ms.export(Setting("digits-mlp").chip, Setting("digits-mlp", images=3).pictures),
        lambda: ms.cache.CacheCheck(3, ("a.npz",), ()),
    ],
)  # fmt: skip


@RESULTS
def test_a_result_reads_in_20_lines_of_80_columns(result: Any) -> None:
    shown = result()
    lines = repr(shown).splitlines()
    assert 1 <= len(lines) <= 20
    assert max(map(len, lines)) <= 80
    page = shown._repr_html_()
    for row in shown.table().rows:
        for text in row:
            assert html.escape(text) in page


def test_many_notes_are_counted_not_shown() -> None:
    result = replace(slow(), notes=tuple(f"{number} {'words ' * 12}" for number in range(40)))
    lines = repr(result).splitlines()
    assert len(lines) == 20
    assert any("... 40 in all" in line for line in lines)


def test_results_are_frozen_and_equal_to_themselves_alone() -> None:
    with pytest.raises(FrozenInstanceError):
        slow().seed = 1  # type: ignore[misc]
    assert slow() == slow()
    assert slow() != replace(slow())


@pytest.mark.parametrize("made", [slow, fast])
def test_a_saved_result_is_the_same_result(made: Any, tmp_path: Path) -> None:
    result = made()
    result.save(tmp_path / "run.h5")
    back: Any = ms.load(tmp_path / "run.h5")
    assert type(back) is type(result)
    assert back.as_json() == result.as_json()
    assert repr(back) == repr(result)
    with pytest.raises(ms.errors.StoreError):
        result.save(tmp_path / "run.h5")  # somebody's only copy


def test_events_of_a_loaded_layer_are_all_there(tmp_path: Path) -> None:
    slow().save(tmp_path / "run.h5")
    back: Any = ms.load(tmp_path / "run.h5")
    for name in ("drive", "hazard", "draw", "spike"):
        np.testing.assert_array_equal(getattr(back.events, name), getattr(slow().events, name))
    assert back.compare(slow()).mismatches == 0


def test_a_run_that_has_not_ended_has_no_result(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        raise Stop

    out = tmp_path / "run.h5"
    with pytest.raises(Stop):
        Setting("digits-mlp", images=1, cycles=1).run(out=out, progress=stop)
    with pytest.raises(ms.errors.StoreError):
        ms.load(out)


def test_a_summary_is_a_result_again() -> None:
    result = ms.results.cosim_from_summary(summary())
    again = result.as_json()
    for name in ("memristive_ci95", "iterations"):  # their ends come from half widths
        again.pop(name)
    # The committed summary was made before one had its command, what it leaves out and a margin.
    expected = {"command": "", "left_out_joule": {}} | summary()
    expected["verdict"] = {"margin": result.verdict.margin} | expected["verdict"]
    assert again == {name: value for name, value in expected.items() if name in again}
    assert set(again) | {"memristive_ci95", "iterations"} == set(expected)
    broken = {name: value for name, value in summary().items() if name != "spice"}
    with pytest.raises(ms.errors.IncompleteResults, match="spice"):
        ms.results.cosim_from_summary(broken)


def test_rows_for_pandas_are_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ms.errors.ConfigError, match=r"memspice\[pandas\]"):
        slow().to_dataframe()
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=dict))
    frame = slow().to_dataframe()
    assert {len(column) for column in frame.values()} == {2 * 4 * 32}
    chosen = (frame["image"] == 1) & (frame["cycle"] == 2)
    np.testing.assert_array_equal(frame["hazard"][chosen], slow().events.hazard[1, 2])


# --- events -----------------------------------------------------------------------------------


def test_a_loop_answers_to_the_events_of_a_layer() -> None:
    found = slow().compare(fast())
    assert (found.events, found.mismatches) == (2 * 4 * 32, 0)
    deeper = Setting("digits-mlp", images=2, cycles=4, changes={"synapse.variation": 0.3})
    other = deeper.simulate("dense1", "surrogate")
    assert other.compare(fast()).mismatches > 0  # the same draws on other cells


def test_other_events_are_not_compared() -> None:
    other = Setting("digits-mlp", images=5, cycles=8, seed=1).run()
    with pytest.raises(ms.errors.ConfigError, match="not the same events"):
        slow().compare(other)
    short = Setting("digits-mlp", images=1, cycles=8).run()
    with pytest.raises(ms.errors.ConfigError, match="beyond the 1 images"):
        slow().compare(short)
    with pytest.raises(ms.errors.ConfigError, match="has no waveforms|keeps no waveforms"):
        slow().waveforms(image=0, neuron=3)
    with pytest.raises(ms.errors.ConfigError, match="has none of that image"):
        slow().waveforms(image=7, neuron=3)
    with pytest.raises(ms.errors.ConfigError, match="neurons are 0 to 31"):
        slow().waveforms(image=0, neuron=32)


@pytest.mark.ngspice
def test_waveforms_of_any_neuron_are_kept_on_demand() -> None:
    chip = ms.Chip("digits-mlp", MODELS, tile=(128, 8))
    data = chip.images("test", 1)
    result = chip["dense1"].simulate(data, cycles=1, keep="all")
    for neuron in (0, 3, 31):
        found = result.waveforms(image=0, neuron=neuron)
        spike = result.events.spike[0, 0, neuron]
        assert found.spiked.tolist() == [spike]
        assert (found.state.max() > 0.5) == spike
        # The event's drive is one of those in the write phase, as it is stored to 1 mV.
        (_, start, stop) = found.phases[0]
        inside = found.drive[(found.time >= start) & (found.time <= stop)]
        assert np.min(np.abs(inside - result.events.drive[0, 0, neuron])) < 1e-3
        assert len(ms.plot.neuron(found).axes) == 4


# --- energy -----------------------------------------------------------------------------------


def test_energies_add_up_and_are_shared_out() -> None:
    energy = slow().energy
    double = energy + energy
    assert double.total == pytest.approx(2 * energy.total)
    assert double.assumed_fraction == pytest.approx(energy.assumed_fraction)
    assert (double / 2)["sense"] == pytest.approx(energy["sense"])
    assert list(energy) == list(energy.components)
    with pytest.raises(ms.errors.ConfigError, match="no component 'sens'"):
        energy["sens"]
    other = ms.results.Energy({"sense": 1.0}, 0.0, "what-if")
    with pytest.raises(ms.errors.ConfigError, match="components differ"):
        _ = energy + other
    measured = ms.results.Energy(dict(energy.components), 0.0, "measured")
    with pytest.raises(ms.errors.ConfigError, match="state them apart"):
        _ = energy + measured


def test_the_sampled_energy_of_a_run_is_that_of_its_windows() -> None:
    chip = ms.Chip("digits-mlp", MODELS)
    data = chip.images("test", 12)
    found = chip.run(data, cycles=4, energy_windows=12).sampled_energy
    assert found
    assert found.windows == 12
    layers = [layer.simulate(data, cycles=4, fidelity="surrogate").energy for layer in chip]
    # Every image is a window: the sum over all of them, of one image.
    assert found.energy.total == pytest.approx(sum(each.total for each in layers) / 12)
    assert 0 < found.half_width < 0.2 * found.energy.total
