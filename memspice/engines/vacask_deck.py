"""Circuit text to a complete VACASK input: what the engine would silently accept is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from memspice.engines.base import Analysis, SolverOptions, Transient
from memspice.engines.compiled import model_interface
from memspice.engines.deck import requested_signals
from memspice.engines.vacask_names import save_word
from memspice.engines.vacask_netlist import BUILT_IN, INITIAL
from memspice.errors import ConfigError, NetlistError

#: Statements that the engine writes itself, or that would start another program.
RESERVED = frozenset(
    ("control", "endc", "analysis", "options", "save", "elaborate", "alter", "sweep", "abort")
    + ("embed", "postprocess", "include", "var", "print")
)
#: Name of the analysis, and so of its raw file.
ANALYSIS = "result"
#: Saved names a line.
NAMES_A_LINE = 8
#: VACASK's Gear formulas end here; a higher order fails at its first step.
HIGHEST_ORDER = 5

#: Longest step between two corners of sources, as a fraction of their distance. VACASK checks no
#: error in the first two steps after a corner: at its default of 0.2501 the charge into a latch's
#: output (100 ps behind edges of 1 ns) was wrong by 4 % whatever the tolerances, at 0.1 by up to
#: 1 %, at 0.05 by 0.3 %.
BREAK_FRACTION = 0.05

_INSTANCE = re.compile(r"(\w+)\s*\(([^)]*)\)\s*(\w+)(.*)", re.DOTALL)
_SUBCKT = re.compile(r"subckt\s+(\w+)\s*\(([^)]*)\)")
_MODEL = re.compile(r"model\s+(\w+)\s+(\w+)")
_LOAD = re.compile(r'load\s+"([^"]*)"')
_ZERO = re.compile(r"\br\s*=\s*[-+]?(0+\.?0*|\.0+)(e[-+]?\d+)?\s*(\s|$)")
#: What an instance of a module that VACASK brings along must say; else it takes a value of its own.
_NEEDED = {
    **{"resistor": re.compile(r"\br\s*="), "capacitor": re.compile(r"\bc\s*=")},
    **dict.fromkeys(("vsource", "isource"), re.compile(r"\bdc\s*=|\bwave\s*=")),
}


def build_deck(
    netlist: str, analysis: Analysis, save: Sequence[str], options: SolverOptions
) -> str:
    """Add options, saved signals and analysis to a circuit's text.

    ``trtol`` is VACASK's ``tran_lteratio``; ``chgtol`` bounds the residual of charges but not the
    step, which VACASK chooses by the error of every node voltage and branch current.
    ``itl1`` and ``itl4`` are ``op_itl`` and ``tran_itl``.

    Parameters
    ----------
    netlist : str
        Title line, loads, models, subcircuits, instances. A comment ``//ic NODE VALUE`` is
        a node's voltage at time 0 of a transient from rest.
    analysis : Transient or OperatingPoint
    save : sequence of str
        Signals as in `memspice.engines.waveforms.canonical_name`, or ``all``; empty: all.
    options : SolverOptions

    Returns
    -------
    str

    Raises
    ------
    ConfigError
        If VACASK has no such linear solver or order of integration.
    NetlistError
        If the netlist brings a statement of `RESERVED`, has no instance, one with too few or too
        many terminals or without a value, or a resistor of 0 ohm; or if a model that it loads does
        not compile, or lacks a terminal or parameter of its behavioural twin.
    DataError, EngineNotFound
        As `memspice.engines.compiled.model_interface`.
    """
    check_netlist(netlist)
    return "\n".join(
        [
            netlist.rstrip("\n"),
            "control",
            "abort always",
            _option_line(options),
            *_save_lines(save),
            _analysis_line(analysis, netlist),
            "endc",
            "",
        ]
    )


def model_names(netlist: str) -> list[str]:
    """Verilog-A models that a netlist loads, without those that come with VACASK.

    Parameters
    ----------
    netlist : str

    Returns
    -------
    list of str

    Raises
    ------
    NetlistError
        If a load names something else than ``NAME.osdi``.
    """
    return _loaded(_logical_lines(netlist))


def _loaded(lines: Iterable[tuple[int, str]]) -> list[str]:
    names = []
    for number, line in lines:
        load = _LOAD.match(line)
        if load is None:
            continue
        name = re.fullmatch(r"(\w+)\.osdi", load[1])
        if name is None:
            raise NetlistError(
                f'netlist line {number}: {line!r}; write load "NAME.osdi" of a model '
                "models/NAME.va, without a folder: memspice compiles it"
            )
        if name[1] not in BUILT_IN:
            names.append(name[1])
    return names


def check_netlist(netlist: str) -> None:
    """Refuse what VACASK accepts without a word.

    Parameters
    ----------
    netlist : str

    Raises
    ------
    NetlistError, DataError, EngineNotFound
        See `build_deck`.
    """
    lines = list(_logical_lines(netlist))
    terminals, masters = _terminals(lines), _masters(lines)
    title = netlist.partition("\n")[0]
    _check_title(title, masters)
    n_instances = 0
    for number, line in lines:
        word = re.split(r"\W", line, maxsplit=1)[0]
        if word in RESERVED:
            raise NetlistError(
                f"netlist line {number}: {line!r} is not part of a circuit; remove it and use the "
                "arguments of run()"
            )
        instance = _INSTANCE.fullmatch(line)
        if instance is None or word == "subckt":
            continue
        n_instances += 1
        module = masters.get(instance[3], instance[3])
        fault = _fault(module, instance[2].split(), instance[4], terminals)
        if fault:
            raise NetlistError(f"netlist line {number}: {line[:200]!r} {fault}")
    if n_instances == 0:
        raise NetlistError(f"the netlist {title!r} has no instance; nothing to simulate")


def _check_title(title: str, masters: Mapping[str, str]) -> None:
    first = _INSTANCE.fullmatch(title.strip())
    if first and first[3] in masters:
        raise NetlistError(
            "the netlist's first line is its title and would be ignored, but it reads like an "
            f"instance: {title!r}; put a title line before it"
        )


def _fault(
    module: str, nodes: Sequence[str], settings: str, known: Mapping[str, tuple[str, ...]]
) -> str | None:
    """What is wrong with an instance; an unknown module is left to VACASK, which names it."""
    terminals = known.get(module)
    if terminals is not None and len(nodes) != len(terminals):
        return (
            f"has {len(nodes)} nodes where {module} has {len(terminals)} terminals "
            f"({' '.join(terminals)}; VACASK leaves missing ones open); name one node for each"
        )
    if "time" in nodes:
        return "has a node called 'time', as the waveforms call their times; rename it"
    if module in _NEEDED and not _NEEDED[module].search(settings):
        return "has no value (VACASK would make one up); write it"
    if module == "resistor" and _ZERO.search(settings):
        return "is a resistor of 0 ohm; merge its two nodes, or use a 0 V source"
    return None


def _masters(lines: Sequence[tuple[int, str]]) -> dict[str, str]:
    """Module of each model name."""
    return {found[1]: found[2] for _, line in lines if (found := _MODEL.match(line))}


def _terminals(lines: Sequence[tuple[int, str]]) -> dict[str, tuple[str, ...]]:
    """Terminals of each module and subcircuit, in their order."""
    known: dict[str, tuple[str, ...]] = dict.fromkeys(BUILT_IN, ("plus", "minus"))
    known |= {name: model_interface(name).terminals for name in _loaded(lines)}
    headers = (_SUBCKT.match(line) for _, line in lines)
    return known | {header[1]: tuple(header[2].split()) for header in headers if header}


def _logical_lines(netlist: str) -> Iterator[tuple[int, str]]:
    """Lines below the title with their number, continued ones joined, comments and blanks not."""
    start, joined = 0, ""
    for number, raw in enumerate(netlist.splitlines()[1:], start=2):
        line = raw.partition("//")[0].strip()
        start = start if joined else number
        joined = f"{joined} {line}".strip()
        if joined.endswith("\\"):
            joined = joined[:-1].rstrip() + " "
        elif joined.count("(") > joined.count(")") or joined.count("[") > joined.count("]"):
            continue  # VACASK reads on within brackets
        else:
            if joined:
                yield start, joined
            joined = ""
    if joined.strip():
        yield start, joined.strip()


def _option_line(options: SolverOptions) -> str:
    if options.linear_solver == "sparse":
        raise ConfigError("linear_solver = 'sparse', but VACASK has KLU only; use 'auto' or 'klu'")
    if options.maxord > HIGHEST_ORDER:
        raise ConfigError(
            f"maxord = {options.maxord}, but VACASK's gear goes to order {HIGHEST_ORDER}"
        )
    tolerances = ("reltol", "abstol", "vntol", "chgtol", "gmin")
    values = [f"{name}={float(getattr(options, name))!r}" for name in tolerances]
    method = {"gear": "gear", "trap": "am"}[options.method]
    return " ".join(
        [
            "options",
            *values,
            f"tran_lteratio={float(options.trtol)!r}",
            f'tran_method="{method}" tran_maxord={options.maxord}',
            f"op_itl={options.itl1} tran_itl={options.itl4}",
            # no step limit but max_step, and short first steps after a corner: see BREAK_FRACTION
            f"tran_minpts=0 tran_fbr={BREAK_FRACTION}",
        ]
    )


def _save_lines(save: Sequence[str]) -> list[str]:
    names = requested_signals(save)
    if not names or "all" in names:
        names = ["all", *(name for name in names if name.startswith("@"))]
    words = ["default" if name == "all" else save_word(name) for name in dict.fromkeys(names)]
    starts = range(0, len(words), NAMES_A_LINE)
    return ["save " + " ".join(words[start : start + NAMES_A_LINE]) for start in starts]


def _analysis_line(analysis: Analysis, netlist: str) -> str:
    if not isinstance(analysis, Transient):
        return f"analysis {ANALYSIS} op"
    step = analysis.initial_step or analysis.max_step
    line = (
        f"analysis {ANALYSIS} tran step={float(step)!r} stop={float(analysis.stop)!r} "
        f"maxstep={float(analysis.max_step)!r}"
    )
    if not analysis.from_rest:
        return line + ' icmode="op"'
    initial = _initial_voltages(netlist)
    return line + ' icmode="uic"' + (f" ic={{{', '.join(initial)}}}" if initial else "")


def _initial_voltages(netlist: str) -> list[str]:
    """Node names and values of the comments that `INITIAL` begins."""
    lines = [line.strip() for line in netlist.splitlines()[1:]]
    found = [line.removeprefix(INITIAL).split() for line in lines if line.startswith(INITIAL)]
    return [f'"{node}", {float(value)!r}' for node, value in found]
