"""Inputs of other tools: by their documented structure, with numbers that can be told otherwise."""

from __future__ import annotations

import csv
import io
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import memspice as ms
from memspice.errors import ConfigError
from memspice.experiment.targets import TARGETS, aihwkit, crosssim, neurosim
from tests.cli_helpers import DIGITS, call
from tests.models import MODELS

ROOT = Path(__file__).parents[2]
Capture = pytest.CaptureFixture[str]


def names(text: str) -> set[str]:
    return set(text.split())


#: Fields of aihwkit 1.1.0's `IOParameters` and `MappingParameter`, as its documentation lists them.
IO = names(
    "is_perfect mv_type inp_bound inp_noise inp_res inp_sto_round inp_asymmetry out_bound "
    "out_noise out_noise_std out_res out_sto_round out_scale out_asymmetry bound_management "
    "noise_management w_noise w_noise_type ir_drop ir_drop_g_ratio out_nonlinearity "
    "out_nonlinearity_std slope_calibration v_offset_std v_offset_w_min r_series "
    "w_read_asymmetry_dtod max_bm_factor max_bm_res bm_test_negative_bound nm_thres"
)
MAPPING = names(
    "digital_bias weight_scaling_omega weight_scaling_columnwise weight_scaling_lr_compensation "
    "learn_out_scaling out_scaling_columnwise max_input_size max_output_size"
)
NOISE = names(
    "g_converter prog_coeff prog_noise_scale drift_nu_mean drift_nu_std drift_scale t_0 "
    "read_noise_scale t_read"
)
#: Groups and fields of CrossSim 3.2's parameter tree that are set, as its documentation has them.
TREE: dict[str, Any] = {
    "core": {
        "style": int,
        "balanced": {"style": int, "interleaved_posneg": bool, "subtract_current_in_xbar": bool},
        "mapping": {
            "weights": {"clipping": bool, "min": float, "max": float},
            "inputs": {"mvm": {"clipping": bool, "min": float, "max": float}},
        },
    },
    "xbar": {
        "device": {
            "cell_bits": int, "Rmin": float, "Rmax": float, "Vread": float,
            "infinite_on_off_ratio": bool, "clip_conductance": bool,
            "programming_error": {"enable": bool, "model": str, "magnitude": float},
            "read_noise": {"enable": bool}, "drift_error": {"enable": bool},
        },
        "array": {
            "parasitics": {
                "enable": bool, "Rp_row": float, "Rp_col": float,
                "Rp_row_terminal": float, "Rp_col_terminal": float,
            }
        },
    },
}  # fmt: skip


@cache
def exported(images: int = 20, **changes: float | str) -> ms.results.Export:
    device = MODELS.with_flaws().change(**changes)
    chip = ms.Chip("digits-mlp", device)
    return ms.export(chip, chip.images("test", images), cycles=4)


def document(target: str, **changes: float | str) -> dict[str, Any]:
    (text,) = exported(**changes).files_for(target).values()
    content = json.loads(text)
    assert isinstance(content, dict)
    return content


def shape(value: Any) -> Any:
    return {k: shape(v) for k, v in value.items()} if isinstance(value, dict) else type(value)


@pytest.mark.parametrize("target", TARGETS)
def test_files_have_the_names_that_are_checked_before(target: str) -> None:
    assert tuple(exported().files_for(target)) == TARGETS[target].ends


def test_an_unknown_tool_is_refused() -> None:
    with pytest.raises(ConfigError, match="no files for 'mnsim': use aihwkit, crosssim, neurosim"):
        exported().files_for("mnsim")


# --- aihwkit -----------------------------------------------------------------------------------


def test_aihwkit_has_the_fields_of_its_classes() -> None:
    for layer in document("aihwkit")["layers"].values():
        config = layer["rpu_config"]
        assert set(config["forward"]) <= IO
        assert set(config["mapping"]) <= MAPPING
        assert set(config["noise_model"]) - {"class"} <= NOISE
        assert set(config["noise_model"]["g_converter"]) - {"class"} == {"g_max", "g_min"}
        assert config["mapping"]["max_input_size"] <= 128


def test_aihwkit_spreads_cells_by_the_moments_of_their_distribution() -> None:
    config = document("aihwkit")["layers"]["dense2"]["rpu_config"]
    model, converter = config["noise_model"], config["noise_model"]["g_converter"]
    drawn = np.exp(0.1 * np.random.default_rng(2).standard_normal(400_000))
    # sigma of prog_coeff is relative to g_max; 400,000 draws know a deviation to 0.2 %
    assert model["prog_coeff"][1] / converter["g_max"] == pytest.approx(drawn.std(), rel=5e-3)
    weights = ms.load_network("digits-mlp").layers[1]
    share = np.abs(weights.weight).max() / weights.bound
    assert config["mapping"]["weight_scaling_omega"] == pytest.approx(share)
    assert converter["g_max"] == pytest.approx(0.2 + 9.8 * share)  # uS


def test_aihwkit_loses_along_bit_lines_what_a_line_of_equal_currents_loses() -> None:
    """The mean drop of its formula, summed current by current, at the mean weight and input."""
    layer = document("aihwkit", **{"array.wire_resistance_col": 5.0})["layers"]["dense1"]
    forward, count = layer["rpu_config"]["forward"], 64
    found = exported(**{"array.wire_resistance_col": 5.0})["dense1"]
    current = found.mean_weight / found.bound * found.mean_input  # of a cell, of unit weight
    carried = np.cumsum(np.full(count, current))  # by the segment behind each cell
    drop = np.cumsum(carried[::-1])[::-1] / forward["ir_drop_g_ratio"] * forward["ir_drop"]
    loss = 1 - layer["statistics"]["ir_drop_columns"]
    assert drop.mean() == pytest.approx(loss, rel=0.03)  # a sum over 64 cells, not an integral
    assert 1 / forward["ir_drop_g_ratio"] == pytest.approx(5.0 * 9.8e-6)


def test_aihwkit_of_ideal_wires_has_no_ir_drop() -> None:
    free = {"array.wire_resistance_col": 0.0, "array.wire_resistance_row": 0.0}
    forward = document("aihwkit", **free)["layers"]["dense1"]["rpu_config"]["forward"]
    assert forward["ir_drop"] == 0
    assert "ir_drop_g_ratio" not in forward
    assert 0.97 < forward["out_scale"] < 1.01  # drivers alone


def test_aihwkit_needs_a_gain() -> None:
    with pytest.raises(ConfigError, match="layer dense1 saw one input only"):
        exported(images=1).files_for("aihwkit")


# --- CrossSim ----------------------------------------------------------------------------------


def test_crosssim_has_its_parameter_tree() -> None:
    for layer in document("crosssim")["layers"].values():
        assert shape(layer["parameters"]) == shape(json.loads(json.dumps(layer["parameters"])))
        assert shape(layer["parameters"]) == TREE


def test_crosssim_resistances_are_those_of_cells_and_lines() -> None:
    found = document("crosssim")["layers"]["dense1"]["parameters"]["xbar"]
    assert (found["device"]["Rmin"], found["device"]["Rmax"]) == pytest.approx((1e5, 5e6))
    assert found["device"]["cell_bits"] == 5
    lines = found["array"]["parasitics"]
    assert (lines["Rp_row"], lines["Rp_col"], lines["Rp_row_terminal"]) == (1.06, 1.06, 120.0)
    device = MODELS.with_flaws()
    circuit = ms.Chip("digits-mlp", device).mapped.layers[0].circuits[0]
    assert lines["Rp_col_terminal"] == pytest.approx(circuit.sense.input_resistance)


# --- NeuroSim ----------------------------------------------------------------------------------


def test_neurosim_has_a_row_a_state() -> None:
    texts = exported().files_for("neurosim")
    rows = list(csv.DictReader(io.StringIO(texts["neurosim.csv"])))
    assert list(rows[0]) == ["states", "mean", "std"]
    assert [int(row["states"]) for row in rows] == list(range(32))
    mean = np.array([float(row["mean"]) for row in rows])
    assert np.diff(mean) == pytest.approx(np.full(31, 9.8e-6 / 31 * math.exp(0.005)), rel=1e-6)
    relative = np.array([float(row["std"]) for row in rows]) / mean
    assert relative == pytest.approx(math.sqrt(math.expm1(0.01)), rel=1e-6)
    options = texts["neurosim.txt"]
    for option in ("--bitcell 5", "--off_state 2e-07", "--on_state 1e-05", "--rate_stuck_0 0.001"):
        assert f"\n{option}\n" in options


@pytest.mark.parametrize("target", ["crosssim", "neurosim"])
def test_levels_that_no_bits_make_are_refused(target: str) -> None:
    found = exported(**{"synapse.levels": 33})
    with pytest.raises(ConfigError, match=r"a power of two of levels.*= 33: use 32 or 64"):
        found.files_for(target)


# --- what they leave out, and the command --------------------------------------------------------


@pytest.mark.parametrize("module", [aihwkit, crosssim, neurosim])
def test_what_a_tool_cannot_hold_is_in_its_file_and_on_the_page(module: Any) -> None:
    page = " ".join((ROOT / "docs/export.md").read_text(encoding="utf-8").split())
    target = module.__name__.rpartition(".")[2]
    texts = " ".join(exported().files_for(target).values())
    for item in module.LEFT_OUT:
        assert item in texts
        assert f"- {item}" in page


def test_command_writes_every_file(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "circuits.json"
    command = ("export", *DIGITS, "--images", 3, "--cycles", 4, "--out", out)
    tools = [word for name in (*TARGETS, "aihwkit") for word in ("--to", name)]
    found = call(capsys, *command, *tools, "--json").content["out"]
    ends = [end for target in TARGETS.values() for end in target.ends]
    assert found == [str(out), *(str(tmp_path / f"circuits-{end}") for end in ends)]
    assert sorted(map(str, tmp_path.iterdir())) == sorted(found)
    about = json.loads((tmp_path / "circuits-aihwkit.json").read_text())["about"]
    assert about["network"] == "digits-mlp"


def test_a_place_that_is_taken_is_refused_before_any_work(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "a-neurosim.txt").mkdir()
    reply = call(capsys, "export", "--out", tmp_path / "a.json", "--to", "neurosim")
    assert reply.code == 2
    assert "a-neurosim.txt is a folder" in reply.err
    assert not (tmp_path / "a.json").exists()


def test_nothing_is_written_of_a_tool_without_such_cells(capsys: Capture, tmp_path: Path) -> None:
    command = ("export", "dense2", *DIGITS, "--images", 2, "--cycles", 2)
    command += ("--set", "synapse.levels=33")
    reply = call(capsys, *command, "--out", tmp_path / "a.json", "--to", "crosssim")
    assert reply.code == 2
    assert not list(tmp_path.iterdir())


def test_other_tools_than_these_are_refused(capsys: Capture, tmp_path: Path) -> None:
    reply = call(capsys, "export", "--out", tmp_path / "a.json", "--to", "mnsim")
    assert reply.code == 2
    assert "'mnsim' is not one of 'aihwkit', 'crosssim', 'neurosim'" in reply.err


def test_the_page_shows_what_aihwkit_found_and_where_it_is_beyond() -> None:
    page = (ROOT / "docs/export.md").read_text(encoding="utf-8")
    found = json.loads((ROOT / "experiments/aihwkit/result.json").read_text(encoding="utf-8"))
    assert found["versions"]["aihwkit"] == "1.1.0"
    for row in found["rows"]:
        off = row["aihwkit"]["mean"] - row["memspice"]["mean"]
        relative = off / row["memspice"]["mean"] if row["what"].endswith("noise") else off
        assert row["within"] == (abs(relative) <= row["tolerance"])
        words = [*row["device"].split(), *row["what"].split()]
        (line,) = [text for text in page.splitlines() if text.split()[: len(words)] == words]
        for tool in ("memspice", "aihwkit"):
            assert f"{row[tool]['mean']:.4f} +- {row[tool]['error']:.4f}" in line
        assert line.endswith("beyond") != row["within"]
