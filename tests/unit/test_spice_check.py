"""Text that ngspice and a person read differently is refused, and nothing else is."""

from __future__ import annotations

import re

import pytest

from memspice.engines.spice_check import check_netlist
from memspice.errors import ConfigError, NetlistError

#: Nodes vdd, a, out, b, elements l1 and l2, a subcircuit cell with the parameter r.
CIRCUIT = (
    "Vs vdd 0 1\nR1 vdd a 1k\nR2 a out 2.5meg\nL1 out b 1uH\nL2 b 0 1\nXq a b cell r=2\n"
    ".subckt cell p q r=1\nR1 p q {r}\n.ends cell\n"
)

ELEMENTS = [
    *("Vdd vdd 0 1.8", "Rload a 0 1k", "Xcell a b cell", "Cs out 0 {c}", "V1 (a 0) 1"),
    *("B1 out 0 V=v(a)*2", "E1 out 0 a 0 10", "D1 a 0 dm", "V1,a,0,1", "K1 L1 L2 .9"),
    *("IBIAS 0 A dc 1u", "M1 out a 0 0 nm", "L1 x GND 1m", "  Vdd vdd 0 1.8", "Ra\tq\t0\t1k"),
    *("Rx A B {r}", "N1 a out device", "Q1 c B 0 npn"),
]


@pytest.mark.parametrize("title", ELEMENTS)
def test_an_element_on_the_first_line_is_refused(title: str) -> None:
    with pytest.raises(NetlistError, match="line 1.*reads like an element.*put a title line"):
        check_netlist(f"{title}\n{CIRCUIT}")
    check_netlist(f"* {title}\n{CIRCUIT}")


@pytest.mark.parametrize("title", [".param c=1p", "+ R3 a 0 1k", ".model d d(is=1)", ".subckt x y"])
def test_a_card_on_the_first_line_is_refused(title: str) -> None:
    with pytest.raises(NetlistError, match="line 1.*reads like a card"):
        check_netlist(f"{title}\n{CIRCUIT}")


@pytest.mark.parametrize("title", ["*# shell true", "*ng_script", "*NG_SCRIPT"])
def test_a_title_that_is_a_command_is_refused(title: str) -> None:
    with pytest.raises(NetlistError, match="line 1.*command"):
        check_netlist(f"{title}\n{CIRCUIT}")


@pytest.mark.parametrize(
    "title",
    ["", "divider", "RC low pass filter", "Resistor divider with two parts", "* V1 a 0 1",
     "Rig 3: µV ladder", ".title of mine", "1 row", "memspice probe"],
)  # fmt: skip
def test_a_title_is_taken(title: str) -> None:
    check_netlist(f"{title}\n{CIRCUIT}")


#: What stands on line 3 onward of a netlist, and a part of the refusal.
TRAPS = {
    # numbers
    **{f"R1 a 0 {value}": re.escape(f"number '{value}'") for value in (
        "1M", "1Mohm", "10mil", "10milliohm", "4K7", "1_000", "1x", "1d3", "1e", "1.2.3", "0x10",
        "1k#", "1e3k", "5min", "2A", "1k$c", "1kilo",
    )},
    "C1 a 0 1F": "femto",
    "C1 a 0 1Farad": "femto|number",
    "C1 a 0 1MHz": "milli",
    "R1 a 0 r=1M": "milli",
    "R1 a 0 {2*1M}": "milli",
    "R1 a 0 '2*1M'": "milli",
    "R1 a 0 1k tc1=1M": "milli",
    "B1 b 0 V=v(a)*1M": "milli",
    "E1 b 0 a 0 1M": "milli",
    "V2 b 0 pwl(0 0 1M 1)": "milli",
    "V2 b 0 dc 1M": "milli",
    ".param r=1M": "milli",
    ".model rr r(r=1M)": "milli",
    ".ic v(a)=1M": "milli",
    "C1 a 0 1p ic=1M": "milli",
    "R1 a 0 1,5k": "comma",
    "R1 a 0 1k,": "comma",
    "C1 a 0 1n ic=1,5": "comma",
    "V2 b 0 1,8": "comma",
    "V2 b 0 pulse(0 1,8 0 1n 1n 5n)": "commas and blanks",
    "V2 b 0 pwl(0 1,5 1n 2)": "commas and blanks",
    "R1 a 0 1k 2k": "values 1k, 2k",
    "E1 b 0 a 0 1 2": "values 1, 2",
    # what ngspice makes up
    "R1 a 0": "no value",
    "R1 a 0 ; 1k": "no value",
    "R1 a 0 $1k": "no value",
    "R1 a 0 // 1k": "no value",
    "R1 a 0 r = 0": "0 ohm",
    "R1 a 0\n+ 0": "0 ohm",
    "V2 b 0 dc": "no value behind dc",
    "V2 b 0 dc ac 1": "no value behind dc",
    "V2 b 0 pwl(0 1 1n)": "pairs",
    "V2 b 0 pwl()": "pairs",
    "V2 b 0 pulse(0 1)": "2 values",
    "V2 b 0 PULSE (0 1 0 1n 1n 5n 10n 3)": "8 values",
    "V2 b 0 pulse(0 1 0 0 1n 5n)": "edge of 0",
    "V2 b 0 sin(0 1)": "2 values",
    "I2 b 0 exp(0 1)": "2 values",
    # names
    "R1 A 0 1k": "line 2; spell",
    "R1 b 0 1\nR2 B 0 1": "line 3; spell",
    "R1 ground 0 1": "not ground",
    "R1 GND! 0 1": "not ground",
    "R1 00 0 1": "not ground",
    "R1 a(1) 0 1k": "in place of a node",
    "R1 (a 0) 1k": "in place of a node",
    "R1 a=b 0 1k": "in place of a node",
    "R1 a 0 1k\nr1 a 0 2k": "already exists on line 3",
    ".param x=1\n.param X=2": "already exists on line 3",
    ".param x=1 x=2": "twice",
    ".model rr r(r=1)\n.model RR r(r=2)": "already exists",
    ".subckt s p\nRs p 0 1\nrs p 0 2\n.ends\nX1 a s": "already exists",
    ".subckt s p\nRs p 0 1\n.ends t\nX1 a s": "under another name",
    "R1 a 0 1\n.ends": "ends no",
    ".subckt s p r=1\nRs p 0 {r}\n.ends\nX1 a s q=2": "sets 'q'",
    # cards and commands
    "*# shell true": "command",
    **{f"R1 a 0 1\n{card} x": "written by the engine" for card in
       (".opt", ".OPTIONS", ".tran", ".control", ".end", ".save", ".measure")},
    **{f"R1 a 0 1\n{card} /etc/passwd": "another file" for card in
       (".include", ".INC", ".lib")},
    **{f"R1 a 0 1\n{card} x": "none of the cards" for card in
       (".title", ".tr", ".foo", ".exec", ".shell", ".pre_osdi", ".csparam")},
    # characters
    **{f"R1 a 0 1{mark}k": "U\\+" for mark in
       ("\xa0", "\u2212", "\uff11", "µ", "\x0b", "\x0c", "\r", "\x00", "\u2028", "\x85", "\u200b",
        "\ufeff", "\x1c")},
    "R1 a 0 1k * \u202e comment": "U\\+202E",
    "* comment\x0bR1 a 0 1k": "U\\+000B",
    "* comment\rR1 a 0 1k": "U\\+000D",
    "R1 a 0 \\\n1k": "backslash",
    "R1 a 0 1k;R2 a 0 1k": "';' within",
    "B1 b 0 V=2*{a-b}": "without parentheses",
    "B1 b 0 V={a-b}*2": "without parentheses",
    # powers: (-2)^3 is 8 and 2^3^2 is 64
    "B1 b 0 V=(-2)^3": "power",
    "B1 b 0 V=v(a)**3": "power",
    ".param x={2^3^2}": "power",
    ".func f(x) {x**2}": "power",
}  # fmt: skip


@pytest.mark.parametrize("text", TRAPS)
def test_what_reads_differently_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(NetlistError, match=TRAPS[text]) as caught:
        check_netlist(f"title\nV1 a 0 1\n{text}\nRend a 0 1\n")
    assert "netlist line" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["R1 a 0 1meg", "R1 a 0 1MEGohm", "R1 a 0 1K", "R1 a 0 1m", "R1 a 0 r = 1k", "R1 a GND 1k",
     "R1 a 0 1k ; load", "R1 a 0 1k $ load", "R1 a 0 1k // load", "R1 a 0\n* here\n\n+ 1k",
     "R1 a 0 1k m=2 tc1=1e-3", "R1 a 0 rm w=1u l=2u", "R1 a 0 -5", "C1 a 0 100pF ic=0.5",
     "V2 b 0 5V", "V2 b 0 dc 1 ac 1", "I2 0 b 2mA", "V2 b 0 pwl (0,0 1n,1)", "B1 b 0 V={x}*v(1M)",
     "B1 b 0 V=2*({a-b})",
     "V2 b 0 pwl(0 0 1n {x})", "V2 b 0 pulse(0 1 0 1n 1n 5n)", "D1 a 0 1N4148 2",
     ".model 1N4148 d(is=1e-14)", "E1 b 0 vol='v(a)*2'", "E1 b 0 poly(1) a 0 1 2", "R1 a[1] 0 1",
     ".param x = 1 + 2\n.param y={x*1e-3}", ".temp 85", "R1 a 0 1k\r", ".func f(x) {x*x}",
     "B1 b 0 V=pwr(v(a),3)", ".if (x)\nR1 a 0 1\n.else\nR1 a 0 2\n.endif", "F1 b 0 V1 2"],
)  # fmt: skip
def test_what_has_one_reading_is_left_to_the_engine(text: str) -> None:
    check_netlist(f"title\nV1 a 0 1\n{text}\nRend a 0 1\n")


def test_a_netlist_is_text() -> None:
    with pytest.raises(ConfigError, match="not a bytes"):
        check_netlist(b"title\nV1 a 0 1\n")  # type: ignore[arg-type]
