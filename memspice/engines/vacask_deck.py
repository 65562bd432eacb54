"""Circuit text to a complete VACASK input: what the engine would silently accept is refused."""

from __future__ import annotations

from collections.abc import Sequence

from memspice.engines.base import Analysis, SolverOptions, Transient
from memspice.engines.deck import requested_signals
from memspice.engines.vacask_check import check_netlist
from memspice.engines.vacask_names import save_word
from memspice.engines.vacask_netlist import INITIAL, TEMPERATURE, TRANSISTORS
from memspice.errors import ConfigError

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
#: In decks of BSIM4 transistors: how many times longer than its error allows a step may be and is
#: not taken back. Their capacitances jump as drain and source change places, and so their currents,
#: of which VACASK judges the error, too: no step is short enough for one. In 2 of 32 decks with a
#: sense stage and a neuron, jumps at a pass gate were the end at its default of 2.5, in none of 96
#: at 5; joules move by up to 3e-5 from 4 to 8, and the processor's time is the same.
REDO_FACTOR = 5.0
_JUMPS = TRANSISTORS["bsim4"]


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
        a node's voltage at time 0 of a transient from rest, ``//temp CELSIUS`` the temperature.
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
        If VACASK would read the netlist otherwise than a person, or a model that it loads does not
        compile, or lacks a terminal or parameter of its twin; see
        `memspice.engines.vacask_check.check_netlist`.
    DataError, EngineNotFound
        As `memspice.engines.compiled.model_interface`.
    """
    check_netlist(netlist)
    return "\n".join(
        [
            netlist.rstrip("\n"),
            "control",
            "abort always",
            " ".join([_option_line(options, jumps=_JUMPS in netlist), *_temperature(netlist)]),
            *_save_lines(save),
            _analysis_line(analysis, netlist),
            "endc",
            "",
        ]
    )


def _option_line(options: SolverOptions, *, jumps: bool) -> str:
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
            *([f"tran_redofactor={REDO_FACTOR}"] if jumps else []),
        ]
    )


def _temperature(netlist: str) -> list[str]:
    """Option of the comment that `TEMPERATURE` begins; VACASK's own value is 27."""
    lines = (line.strip() for line in netlist.splitlines()[1:])
    found = (line.removeprefix(TEMPERATURE) for line in lines if line.startswith(TEMPERATURE))
    return [f"temp={float(value)!r}" for value in found]


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
