"""VACASK's dialect: what is written, what is refused, and how signals are called."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySpice.Spice.Netlist import Circuit, SubCircuit

from memspice.circuits import processes
from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.engines import compiled
from memspice.engines.base import OperatingPoint, SolverOptions, Transient
from memspice.engines.vacask_check import check_netlist, model_names
from memspice.engines.vacask_deck import build_deck
from memspice.engines.vacask_names import canonical_signal, save_word
from memspice.engines.vacask_netlist import WIDTH, source_hash, write_netlist
from memspice.errors import ConfigError, DataError, NetlistError
from memspice.resources import resource_path
from tests.engine_helpers import SHORT
from tests.engine_helpers import VACASK_DIVIDER as DIVIDER
from tests.engine_helpers import VACASK_HEAD as HEAD


def written(deck: Deck) -> list[str]:
    """Lines of the netlist, continued ones joined."""
    return write_netlist(deck).replace(" \\\n ", "").splitlines()


def a_section() -> tuple[Deck, Circuit]:
    deck = Deck("A  title", "what it shows")
    return deck, deck.section("elements")


# --- writing --------------------------------------------------------------------------------------


def test_every_kind_of_element_has_its_line() -> None:
    deck, circuit = a_section()
    circuit.R("Load", "Out", circuit.gnd, 1500.0)
    circuit.C("load", "out", circuit.gnd, 1e-12)
    circuit.V("row0_1", "s0", circuit.gnd, 0.1)
    circuit.I("leak", circuit.gnd, "out", 1e-6)
    circuit.X("dev", "vteam", "s0", "out", r_on=1e5)
    lines = written(deck)
    assert lines[0] == "A title"
    assert lines[lines.index("// elements") + 1 :] == [
        "rload (out 0) resistor r=1500",  # one case: VACASK knows Out from out, SPICE does not
        "cload (out 0) capacitor c=1e-12",
        "vrow0_1 (s0 0) vsource dc=0.1",
        "ileak (0 out) isource dc=1e-06",
        "xdev (s0 out) vteam r_on=100000.0",
    ]
    assert {'load "vteam.osdi"', "model vteam vteam", "ground 0"} <= set(lines)


def test_a_source_that_follows_a_current_names_its_module_where_there_is_one() -> None:
    deck, circuit = a_section()
    circuit.V("meter", "a", "b", 0.0)
    assert "model cccs cccs" not in written(deck)
    circuit.F("others", "a", circuit.gnd, "Vmeter", -3.0)
    lines = written(deck)
    assert 'fothers (a 0) cccs gain=-3 ctlinst="vmeter"' in lines
    assert "model cccs cccs" in lines
    check_netlist(write_netlist(deck))


def test_a_source_over_time_keeps_its_points() -> None:
    deck, circuit = a_section()
    points = tuple((1e-9 * k, 0.1 * (k % 2)) for k in range(60))
    circuit.V("a", "a", circuit.gnd, PieceWiseLinear(points))
    circuit.V("b", "b", circuit.gnd, PieceWiseLinear(((0.0, 0.25),)))
    text = write_netlist(deck)
    assert max(map(len, text.splitlines())) <= WIDTH
    wave, constant = written(deck)[-2:]
    values = wave.partition("wave=[")[2].rstrip("]").replace(",", " ").split()
    assert [float(value) for value in values] == pytest.approx([x for p in points for x in p])
    # VACASK refuses a wave of one point, SPICE takes it as a constant
    assert constant == "vb (b 0) vsource dc=0.25"


def test_subcircuits_keep_ports_parameters_and_expressions() -> None:
    deck = Deck("title", "")
    stage = SubCircuit("Stage", "a", "b", gain=2, pole=1e-6)
    stage.R("x", "a", "b", "{gain*1meg/(2 + 3k) - 1.5e-3}")
    stage.C("y", "b", 0, "{pole/1g}", initial_condition=0)
    deck.subcircuit("a stage", stage)
    deck.section("use").X("one", "Stage", "in", "out", gain=5)
    lines = written(deck)
    first = lines.index("// a stage") + 1
    assert lines[first : first + 5] == [
        "subckt stage(a b)",
        # real numbers: VACASK's 5/2 is 2
        "parameters gain=2.0 pole=1e-06",
        "rx (a b) resistor r=gain*1000000.0/(2.0 + 3000.0) - 0.0015",
        "cy (b 0) capacitor c=pole/1000000000.0",
        "ends",
    ]
    assert lines[-1] == "xone (in out) stage gain=5.0"
    assert 'load "stage.osdi"' not in lines


def test_the_netlist_names_no_folder() -> None:
    deck, circuit = a_section()
    circuit.X("dev", "vteam", "s0", "out")
    loads = [line for line in written(deck) if line.startswith("load")]
    assert loads == [f'load "{name}.osdi"' for name in ("resistor", "capacitor", "vteam")]


def copied_models(folder: Path) -> Path:
    return shutil.copytree(resource_path("vteam.va").parent, folder, ignore=lambda *_: ["networks"])


@pytest.mark.parametrize("file", ["sot_mtj.va", "hazard.vams"])
def test_the_netlist_says_which_source_a_model_has(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deck, circuit = a_section()
    circuit.X("dev", "sot_mtj", "a")
    circuit.X("other", "vteam", "a", "b", "x")
    lines = written(deck)
    hashes = {name: source_hash(name) for name in ("sot_mtj", "vteam")}
    for name, value in hashes.items():
        comment = lines[lines.index(f'load "{name}.osdi"') + 1]
        assert comment == f"// its source has the sha256 {value}"
    assert max(map(len, write_netlist(deck).splitlines())) <= WIDTH
    # A change in the file or in what it includes is one in the netlist; others stay.
    folder = copied_models(tmp_path / "models")
    monkeypatch.setattr(processes, "resource_path", lambda name: folder / name)
    assert {name: source_hash(name) for name in hashes} == hashes
    with (folder / file).open("a", encoding="utf-8") as source:
        source.write("// changed\n")
    assert source_hash("sot_mtj") != hashes["sot_mtj"]
    assert source_hash("vteam") == hashes["vteam"]


def test_source_that_is_missing_is_named() -> None:
    with pytest.raises(DataError, match=r"models/flux_capacitor\.va"):
        source_hash("flux_capacitor")


def test_initial_conditions_become_those_of_the_analysis() -> None:
    deck, circuit = a_section()
    circuit.C("a", "A1", circuit.gnd, 1e-12, initial_condition=0.25)
    circuit.C("b", "a1", "b1", 1e-12, initial_condition=0)
    text = write_netlist(deck)
    rest = build_deck(text, Transient(1e-6, 1e-9, from_rest=True), [], SolverOptions())
    assert 'icmode="uic" ic={"a1", 0.25}' in rest
    point = build_deck(text, Transient(1e-6, 1e-9), [], SolverOptions())
    assert 'icmode="op"\n' in point  # SPICE's ic= counts only from rest


@pytest.mark.parametrize("nodes", [("a", "b"), ("0", "a")])
def test_an_initial_condition_between_nodes_is_refused(nodes: tuple[str, str]) -> None:
    deck, circuit = a_section()
    circuit.C("a", *nodes, 1e-12, initial_condition=0.25)
    with pytest.raises(NetlistError, match="Ca: .*initial condition"):
        write_netlist(deck)


def test_an_initial_condition_inside_a_subcircuit_is_refused() -> None:
    inner = SubCircuit("cell", "a")
    inner.C("a", "a", 0, 1e-12, initial_condition=0.25)
    deck = Deck("title", "")
    deck.subcircuit("a cell", inner)
    with pytest.raises(NetlistError, match="Ca in subcircuit cell: .*initial condition"):
        write_netlist(deck)


def add_behavioural(circuit: Circuit) -> None:
    circuit.B("odd", "a", 0, v="v(b)*2")


def add_open(circuit: Circuit) -> None:
    circuit.R("open", "a", 0, float("inf"))


def add_expression(circuit: Circuit) -> None:
    circuit.R("odd", "a", 0, "{exp(x)^2}")


def add_node(circuit: Circuit) -> None:
    circuit.R("odd", "a.b", 0, 1.0)


def add_time(circuit: Circuit) -> None:
    circuit.R("odd", "Time", 0, 1.0)


def add_empty(circuit: Circuit) -> None:
    circuit.V("odd", "a", 0, PieceWiseLinear(()))


REFUSED = {
    add_behavioural: "Bodd: .*BehavioralSource.*Verilog-A",
    add_open: "Ropen: inf is not finite",
    add_expression: r"Rodd: '\{exp\(x\)\^2\}' is no number",
    add_node: "Rodd: 'a.b' is no name",
    add_time: "Rodd: 'Time' is no name",
    add_empty: "Vodd: .*without points",
}


@pytest.mark.parametrize("add", REFUSED)
def test_what_the_dialect_lacks_is_refused_by_name(add) -> None:  # type: ignore[no-untyped-def]
    deck, circuit = a_section()
    add(circuit)
    with pytest.raises(NetlistError, match=REFUSED[add]):
        write_netlist(deck)


# --- what VACASK accepts without a word -----------------------------------------------------------

SILENT = {
    "r9 (out 0) resistor": "line 12: .*has no value",
    "c9 (out 0) capacitor": "has no value",
    "v9 (x 0) vsource": "has no value",
    'model cccs cccs\nf9 (x 0) cccs ctlinst="v1"': "has no value",
    "r9 (out 0) resistor r=0": "0 ohm",
    "r9 (out 0) resistor r=0.0e3": "0 ohm",
    "r9 (out) resistor r=1": "1 nodes where resistor has 2",
    "x9 (out) cell\nsubckt cell(a b)\nr1 (a b) resistor r=1\nends": r"1 nodes .* 2 .*\(a b;",
    "r9 (out time) resistor r=1": "'time'",
    "analysis a op": "not part of a circuit",
    'embed "x.py" <<<FILE': "not part of a circuit",
    'load "/somewhere/else.osdi"': "without a folder",
    # one circuit, two readings
    "r9 (OUT 0) resistor r=1": "'OUT', which to VACASK is another than 'out'",
    "R1 (out 0) resistor r=1": "'R1', which to VACASK is another than 'r1'",
    "r9 (out gnd) resistor r=1": "'gnd', which is not ground",
    "r9 (out ground) resistor r=1": "not ground",
    "r9 (out 0) resistor r=1M": "mega to VACASK, milli to SPICE",
    "r9 (out 0) resistor r=1x": "mega to VACASK",
    "r9 (out 0) resistor r=2a": "atto",
    "r9 (out 0) resistor r=0x10": "hexadecimal",
    "r9 (out 0) resistor r=5/2": "5.0/2.0",
    "r9 (out 0) resistor r=2^3": "exclusive or",
    "r9 (out 0) resistor r=-2**2": "sign before it",
    "r9 (out 0) resistor r=1µ": "ASCII",
    "r9 (out 0) resistor r=1\x0c": r"U\+000C",
    "// comment\x0br9 (out 0) resistor r=1": r"U\+000B",
    "/* r9 (out 0) resistor r=1\n*/": "many lines",
}


@pytest.mark.parametrize("line", SILENT)
def test_silent_faults_are_refused(line: str) -> None:
    check_netlist(DIVIDER)
    with pytest.raises(NetlistError, match=SILENT[line]):
        check_netlist(f"{DIVIDER}{line}\n")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the models that VACASK takes its own from."""
    folder = copied_models(tmp_path / "models")
    monkeypatch.setattr(compiled, "resource_path", lambda name: folder / name)
    return folder


LATCH = 'load "read_latch.osdi"\nmodel read_latch read_latch\n'


@pytest.mark.vacask
def test_an_instance_with_nodes_missing_is_told_what_the_terminals_are() -> None:
    terminals = " ".join(compiled.model_interface("read_latch").terminals)
    check_netlist(f"{DIVIDER}{LATCH}x9 ({terminals}) read_latch\n")
    message = rf"3 nodes where read_latch has 7 terminals \({terminals};"
    with pytest.raises(NetlistError, match=message):
        check_netlist(f"{DIVIDER}{LATCH}x9 (out 0 0) read_latch\n")


@pytest.mark.vacask
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (", read", "", "model 'read_latch' has no terminal 'read'; it must have"),
        (
            "module read_latch",
            "module latch",
            r"read_latch\.va declares the module 'latch'; name it 'read_latch'",
        ),
    ],
)
def test_the_model_is_blamed_for_its_own_interface(
    old: str, new: str, message: str, models: Path
) -> None:
    source = models / "read_latch.va"
    text = source.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new), encoding="utf-8")
    terminals = "sense read strobe clear vdd latch level"
    with pytest.raises(NetlistError, match=message):
        check_netlist(f"{DIVIDER}{LATCH}x9 ({terminals}) read_latch\n")


def test_a_continued_line_is_one_line() -> None:
    check_netlist(DIVIDER + "r3 (out\n 0) resistor \\\n r=5\n// r9 (a) resistor\n")
    with pytest.raises(NetlistError, match="line 12: .*no value"):
        check_netlist(DIVIDER + "r3 (out\n 0) \\\n resistor\nr4 (out 0) resistor r=1\n")


def test_a_missing_title_and_an_empty_circuit_are_refused() -> None:
    body = DIVIDER.partition("\n")[2]
    with pytest.raises(NetlistError, match="title"):
        check_netlist("r9 (in 0) resistor r=1\n" + body)
    for first in (
        *("subckt cell (a b)", "model r9 resistor", "model m (r) resistor", "parameters c=1p"),
        *('load "resistor.osdi"', "ground 0", "x9 (in 0) cell", "ends"),
    ):
        with pytest.raises(NetlistError, match="line 1.*title"):
            check_netlist(f"{first}\n{body}subckt cell(a b)\nr1 (a b) resistor r=1\nends\n")
    for first in ("", "model of a neuron", "ground truth of a layer", "// r9 (in 0) resistor r=1"):
        check_netlist(f"{first}\n{body}r9 (in 0) resistor r=1meg\nr8 (in 0) resistor r=7.5/2\n")
    with pytest.raises(NetlistError, match="'title' has no instance"):
        check_netlist(HEAD)


def test_models_are_those_that_vacask_does_not_bring_along() -> None:
    assert model_names(DIVIDER + 'load "vteam.osdi"\n') == ["vteam"]
    with pytest.raises(DataError, match=r"models/nowhere\.va"):
        check_netlist(DIVIDER + 'load "nowhere.osdi"\n')


# --- analysis and options -------------------------------------------------------------------------


def test_options_and_analysis_are_spelled_as_vacask_wants_them() -> None:
    options = SolverOptions(reltol=1e-5, trtol=3.0, method="trap", itl1=50, itl4=20)
    lines = build_deck(DIVIDER, Transient(1e-6, 1e-9, 1e-12), ["OUT"], options).splitlines()
    control = lines[lines.index("control") :]
    assert control[1] == "abort always"  # else a failed analysis ends with exit status 0
    for word in (
        *("reltol=1e-05", "tran_lteratio=3.0", 'tran_method="am"', "tran_maxord=2"),
        *("op_itl=50", "tran_itl=20", "tran_minpts=0", "tran_fbr=0.05"),
    ):
        assert word in control[2].split()
    assert "tran_redofactor" not in control[2]  # else steps behind a corner are 1.4 times more off
    transistors = DIVIDER + 'load "spice/bsim4v8.osdi"\n'
    assert "tran_redofactor=5.0" in build_deck(transistors, OperatingPoint(), [], options)
    assert control[3:] == [
        'save v("out")',
        'analysis result tran step=1e-12 stop=1e-06 maxstep=1e-09 icmode="op"',
        "endc",
    ]
    assert "analysis result op\n" in build_deck(DIVIDER, OperatingPoint(), [], options)


def test_what_vacask_cannot_solve_with_is_refused() -> None:
    with pytest.raises(ConfigError, match="KLU only"):
        build_deck(DIVIDER, SHORT, [], SolverOptions(linear_solver="sparse"))
    with pytest.raises(ConfigError, match="maxord = 6"):
        build_deck(DIVIDER, SHORT, [], SolverOptions(maxord=6))


@pytest.mark.parametrize("save", [[], ["all"], ["all", "out"]])
def test_everything_is_saved_where_nothing_or_all_is_asked_for(save: list[str]) -> None:
    deck = build_deck(DIVIDER, SHORT, save, SolverOptions())
    assert "save default\n" in deck


NAMES = {
    # canonical name: (word after save, name in the raw file)
    "v(out)": ('v("out")', "out"),
    "v(xneuron0.h)": ('v("xneuron0:h")', "xneuron0:h"),
    "v(x1.x2.h)": ('v("x1:x2:h")', "x1:x2:h"),
    "i(vrow0_1)": ('i("vrow0_1")', "vrow0_1:flow(br)"),
    "i(v.x1.vs)": ('i("x1:vs")', "x1:vs:flow(br)"),
    "i(v.x1.x2.vs)": ('i("x1:x2:vs")', "x1:x2:vs:flow(br)"),
    "@r1[i]": ('p("r1","i")', "r1.i"),
    "@r.x1.rx[i]": ('p("x1:rx","i")', "x1:rx.i"),
}


@pytest.mark.parametrize("name", NAMES)
def test_signals_are_called_as_in_ngspice(name: str) -> None:
    word, raw = NAMES[name]
    assert save_word(name) == word
    assert canonical_signal(raw) == name


def test_a_current_inside_a_model_keeps_the_name_of_its_branch() -> None:
    assert canonical_signal("x1:flow(a,b)") == "i(x1.flow(a,b))"
    assert save_word("i(x1.flow(a,b))") == 'v("x1:flow(a,b)")'
    assert canonical_signal("time") == "time"
