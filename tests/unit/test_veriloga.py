"""A model's terminals and parameters are read by name, from Verilog-A and from subcircuits."""

from __future__ import annotations

from pathlib import Path

import pytest

from memspice.engines.base import OperatingPoint
from memspice.engines.ngspice import Ngspice
from memspice.engines.veriloga import (
    ModuleDeclaration,
    check_interface,
    declaration,
    osdi_subcircuit,
    read_number,
    subckt_declaration,
)
from memspice.errors import NetlistError

MODELS = Path(__file__).parents[2] / "models"
TWINS = sorted(path.stem for path in MODELS.glob("*.va"))

# --- interfaces -----------------------------------------------------------------------------------

MODULE = """`include "disciplines.vams"
`define SHARED \\
    (* desc="of a macro; (not) = 3" *) parameter real g = 2.5e-9 from [0:1), h = -1M; \\
    parameter integer mode = 3 from [0:7] exclude 5;
// module commented(out); parameter real no = 1;
/* parameter real never = 1; */
module device(a, b, c);
    inout a, b, c;
    electrical a, b, c;
    parameter real r = 1k from (0:inf), s = .5 exclude 0;  // parameter real not_this = 2;
    localparam real derived = 2*r;
    `SHARED
    analog begin
        I(a, b) <+ V(a, b)/derived + g + h + mode + s;
        I(c) <+ 0;
    end
endmodule
"""
DEVICE = ModuleDeclaration(
    "device", ("a", "b", "c"), {"r": 1e3, "s": 0.5, "g": 2.5e-9, "h": -1e6, "mode": 3.0}
)


def written(folder: Path, text: str) -> Path:
    path = folder / "device.va"
    path.write_text(text)
    return path


@pytest.mark.vacask
def test_module_is_read_through_macros_and_comments(tmp_path: Path) -> None:
    assert declaration(written(tmp_path, MODULE)) == DEVICE


@pytest.mark.vacask
def test_directions_may_stand_in_the_list_of_terminals(tmp_path: Path) -> None:
    text = MODULE.replace("(a, b, c)", "(inout electrical a, inout b, c)", 1)
    assert declaration(written(tmp_path, text)).terminals == DEVICE.terminals


@pytest.mark.vacask
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("endmodule", "endmodule\nmodule second(p); endmodule", r"not 2 \(device, second\)"),
        (MODULE, "", r"not 0 \(none\)"),
        ("device(a,", "device([0:2] a,", "vector of terminals"),
        ("parameter real r = 1k", "parameter real r = 1k/3", "parameter r of module device = "),
        ("parameter real r = 1k", "parameter string t = ok; parameter real r = 1k", "t .*a string"),
    ],
)
def test_module_that_cannot_be_used(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(NetlistError, match=message):
        declaration(written(tmp_path, MODULE.replace(old, new, 1)))


SUBCKT = """* .subckt commented out
.include other.lib
.subckt device a b
* within the header
+ c params: r=1k s = .5
+ g=2.5n h=-1meg mode=3
R1 a b {r}
.ends device
"""


def test_subcircuit_is_read_over_continued_lines() -> None:
    assert subckt_declaration(SUBCKT) == DEVICE
    assert subckt_declaration(SUBCKT.replace("params:", "PARAMS :").upper()).parameters["H"] == -1e6


def test_subcircuit_without_parameters() -> None:
    expected = ModuleDeclaration("wire", ("a", "b"), {})
    assert subckt_declaration(".subckt wire a b ; comment\nR1 a b 1\n.ends\n") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("R1 a b 1\n", "not 0"),
        (SUBCKT + SUBCKT, "not 2"),
        (SUBCKT.replace("1k", "{2*k}"), "parameter r of subcircuit device = '{2[*]k}'"),
    ],
)
def test_subcircuit_that_cannot_be_used(text: str, message: str) -> None:
    with pytest.raises(NetlistError, match=message):
        subckt_declaration(text)


def test_compiled_model_takes_the_place_of_its_twin() -> None:
    text = osdi_subcircuit(DEVICE)
    assert subckt_declaration(text) == DEVICE
    # every terminal connected and every parameter passed: ngspice would not miss any
    assert "N1 a b c device_osdi\n+ r={r}\n+ s={s}\n+ g={g}\n+ h={h}\n+ mode={mode}\n" in text


@pytest.mark.vacask
@pytest.mark.parametrize("name", TWINS)
def test_both_forms_of_a_model_have_one_interface(name: str) -> None:
    module = declaration(MODELS / f"{name}.va")
    assert module.name == name
    assert subckt_declaration((MODELS / f"{name}.lib").read_text()) == module


def test_there_are_models() -> None:
    assert TWINS


def test_fitting_interface_passes() -> None:
    check_interface(DEVICE, ["a", "b", "c"], ["g", "r"])


@pytest.mark.parametrize(
    ("terminals", "parameters", "message"),
    [
        (["a", "b", "c", "h"], [], "'device' has no terminal 'h';"),
        (["a", "b"], [], "'device' has terminal 'c' that nothing connects;"),
        (["b", "a", "c"], [], "'device' has its terminals in the order a b c;"),
        (["a", "b", "c"], ["r", "tau0"], "'device' has no parameter 'tau0';"),
        (["a", "c", "x"], ["v0"], "no terminal 'x', no parameter 'v0', terminal 'b'"),
    ],
)
def test_other_interface_is_refused_by_name(
    terminals: list[str], parameters: list[str], message: str
) -> None:
    with pytest.raises(NetlistError, match=message):
        check_interface(DEVICE, terminals, parameters)


# --- numbers --------------------------------------------------------------------------------------

SPICE_NUMBERS = {
    "1k": 1e3, "1K": 1e3, "1meg": 1e6, "2.5MEG": 2.5e6, "1M": 1e-3, "1m": 1e-3, "3u": 3e-6,
    "2.2n": 2.2e-9, "10pF": 10e-12, "1kohm": 1e3, "1e3k": 1e6, "2.5e-9": 2.5e-9, "-.5": -0.5,
    "+7.": 7.0, "1T": 1e12, "1g": 1e9, "4f": 4e-15, "3V": 3.0, "1E-2": 1e-2,
}  # fmt: skip
#: What people read otherwise, which no netlist of ours may hold.
REFUSED = {"1M", "1e3k"}
VERILOG_NUMBERS = {
    "1k": 1e3, "1K": 1e3, "1M": 1e6, "1m": 1e-3, "2.2u": 2.2e-6, "3n": 3e-9, "4p": 4e-12,
    "5f": 5e-15, "6a": 6e-18, "1G": 1e9, "1T": 1e12, "-2.5e-9": -2.5e-9, "1_000": 1e3, "7": 7.0,
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SPICE_NUMBERS.items())
def test_spice_number(text: str, value: float) -> None:
    assert read_number(text, "spice", "x") == value


@pytest.mark.parametrize(("text", "value"), VERILOG_NUMBERS.items())
def test_verilog_number(text: str, value: float) -> None:
    assert read_number(text, "verilog-a", "x") == value


@pytest.mark.ngspice
def test_ngspice_reads_the_same_numbers() -> None:
    numbers = {text: value for text, value in SPICE_NUMBERS.items() if text not in REFUSED}
    lines = [f"V{k} n{k} 0 {text}\nR{k} n{k} 0 1" for k, text in enumerate(numbers)]
    point = Ngspice().run("\n".join(["numbers", *lines, ""]), OperatingPoint())
    read = [point.voltage(f"n{k}")[0] for k in range(len(lines))]
    # ngspice multiplies by a power of ten: a few units of the last place
    assert read == pytest.approx([*numbers.values()], rel=1e-14)


@pytest.mark.parametrize("text", ["", "k", "1a", "1mil", "1A", "{r}", "2k7", "inf", "1..2", "1 k"])
def test_no_spice_number(text: str) -> None:
    with pytest.raises(NetlistError, match="r of cell = .* is not a number of spice"):
        read_number(text, "spice", "r of cell")


@pytest.mark.parametrize("text", ["", "1meg", "1kohm", "inf", "2*3", "1h", "nan"])
def test_no_verilog_number(text: str) -> None:
    with pytest.raises(NetlistError, match="not a number of verilog-a"):
        read_number(text, "verilog-a", "r")
