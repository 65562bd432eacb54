"""The table of a sense stage: whatever cannot work is refused before an engine starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memspice.circuits.stage_table import read_sense, read_stage
from memspice.errors import ConfigError, DataError, NetlistError
from tests.sense_helpers import e3_table, read, simulate

STAGE = """* A resistor a line; the difference is not taken
.subckt own plus minus drive enable vdd vss params: r=10k
Rp plus vss {r}
Rm minus vss {r}
Md drive enable x vss nmos_vtg w=1u l=50n
Rx x vdd 1k
Cx drive 0 1f
.ends own
"""
TABLE: dict[str, Any] = {
    "subcircuit": "own.lib",
    "process": "freepdk45",
    "terminals": ["plus", "minus", "drive", "enable", "vdd", "vss"],
    "supplies": {"vdd": 1.0},
    "clocks": {"enable": [[1e-9, 22e-9]]},
    "line_level": 0.3,
    "rows": [1.5e-9, 21e-9],
    "line_capacitance": 30e-15,
    "load": [1e9, 3e-15],
    "gain": 28e3,
    "swing": 0.15,
    "currents": [0, 9e-6],
    "conductances": [100e-6, 200e-6],
    "pair": 2.0,
    "nodes": 9,
    "warm_up": 1,
}


def check(folder: Path, text: str = STAGE, **changes: Any) -> None:
    (folder / "own.lib").write_text(text)
    read_stage(TABLE | changes, folder / "set.toml")


def test_eleven_clocks_and_four_bias_lines_need_no_special_case() -> None:
    stage = read(e3_table())
    assert len(stage.clocks) == 11
    assert len(stage.terminals) == 3 + 11 + 5
    assert stage.library is not None
    assert {card.name for card in stage.library.cards} == {
        *("nmos_vtg", "pmos_vtg"),
        *("nmos_vth", "pmos_vth"),
    }


def test_a_table_that_is_right_is_taken(tmp_path: Path) -> None:
    check(tmp_path, parameters={"r": 5e3})


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"terminals": ["plus", "minus", "drive"]},
            ConfigError,
            r"names 3, but .subckt own .*6",
        ),
        (
            {"terminals": ["plus", "plus", "drive", "enable", "vdd", "vss"]},
            ConfigError,
            "must have 'plus' once",
        ),
        ({"supplies": {"vcc": 1.0}}, ConfigError, "'vdd', which is no supply and no clock"),
        ({"supplies": {"vdd": 1.0, "vbias": 0.4}}, ConfigError, "'vbias', but no terminal"),
        ({"parameters": {"rr": 1.0}}, ConfigError, "parameters.rr is no parameter .* mean 'r'"),
        ({"clocks": {"enable": []}}, ConfigError, "clocks.enable is a clock without edges"),
        ({"clocks": {"enable": [[1e-9]]}}, DataError, r"clocks.enable: .* must be two numbers"),
        ({"supplies": {"vdd": "1 V"}}, DataError, "supplies.vdd = '1 V' must be a finite number"),
        ({"warmup": 1}, DataError, "'warmup', which means nothing; did you mean 'warm_up'"),
        ({"process": "tsmc"}, DataError, "'tsmc' is unknown; use freepdk45"),
        ({"warm_up": -1}, DataError, "must be a whole number"),
        ({"temperature": 85.0}, ConfigError, "= 85 K: .* 218.15 to 398.15 K; kelvins"),
    ],
)
def test_a_table_that_is_wrong_is_refused(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"set.toml: .*{message}"):
        check(tmp_path, **changes)


def test_an_entry_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "own.lib").write_text(STAGE)
    table = {name: value for name, value in TABLE.items() if name != "line_level"}
    with pytest.raises(DataError, match="needs 'line_level'"):
        read_stage(table, tmp_path / "set.toml")


def test_a_node_that_floats_is_named_with_file_and_line(tmp_path: Path) -> None:
    floating = STAGE.replace("Rx x vdd 1k", "Cfloat x vdd 1f\nCy y x 1f")
    with pytest.raises(NetlistError, match=r"own.lib, line 7: node 'y' has no path"):
        check(tmp_path, floating)
    # the channel of Md leads from x to drive, which is a terminal
    check(tmp_path, STAGE.replace("Rx x vdd 1k", "Cfloat x vdd 1f"))


MODULE = """`include "disciplines.vams"
module own(plus, minus, drive, vref, vss);
    inout plus, minus, drive, vref, vss;
    electrical plus, minus, drive, vref, vss;
    (* type="instance", desc="drive over a difference (* of currents" *)
    parameter real gain = 28k from (0:inf);
    parameter real rest = 0.6;
    analog begin
        I(plus, vref) <+ V(plus, vref)/1.0;
        I(minus, vref) <+ V(minus, vref)/1.0;
        I(drive, vss) <+ (V(drive, vss) - rest - gain*(V(plus, vref) - V(minus, vref)))/1k;
    end
endmodule
"""
IN_VERILOG = {name: value for name, value in TABLE.items() if name not in ("subcircuit", "process")}
IN_VERILOG |= {
    "veriloga": "own.va",
    "terminals": ["plus", "minus", "drive", "vref", "vss"],
    "supplies": {"vref": 0.3},
    "clocks": {},
    "parameters": {"gain": 30e3},
    "rows": [1.5e-9, 140e-9],  # it holds nothing
}


@pytest.mark.vacask
def test_a_stage_in_verilog_a_is_measured_on_vacask(tmp_path: Path) -> None:
    """An ideal one: what it puts out is known, and what it takes from the lines."""
    (tmp_path / "own.va").write_text(MODULE)
    stage = read_stage(IN_VERILOG, tmp_path / "set.toml")
    assert stage.library is None
    currents = np.array([[2e-6, 2e-6], [6e-6, 2e-6], [2e-6, 5e-6]])
    found = simulate("vacask", stage, currents)
    # 1 ohm ends the lines, whose cells take 150 uS of the current in parallel
    expected = 0.6 + 30e3 * (currents[:, 0] - currents[:, 1]) / (1 + 150e-6)
    np.testing.assert_allclose(found.drive, expected, atol=2e-3)
    plain = {"parameters": {"rest": 0.5}}
    with pytest.raises(ConfigError, match=r'rest is no parameter of .*type="instance".* has gain'):
        read_stage(IN_VERILOG | plain, tmp_path / "set.toml")


def test_a_bias_line_and_where_the_stage_rests_come_together(tmp_path: Path) -> None:
    (tmp_path / "own.lib").write_text(STAGE, encoding="utf-8")
    where = tmp_path / "set.toml"
    both = {**TABLE, "bias": "vdd", "rest": 0.4}
    assert read_sense(both, where).rest == 0.4
    with pytest.raises(ConfigError, match=r"rest.* has none: say 'bias', or leave it out"):
        read_sense({**TABLE, "rest": 0.4}, where)
    with pytest.raises(DataError, match="rest"):
        read_sense({**TABLE, "bias": "vdd"}, where)
