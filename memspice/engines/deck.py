"""Circuit text to a complete ngspice deck: what the engine would silently repair is refused."""

from __future__ import annotations

from collections.abc import Sequence

from memspice.engines.base import Analysis, SolverOptions, Transient
from memspice.engines.spice_check import check_netlist
from memspice.engines.waveforms import GROUND_NAMES, canonical_name

#: Longest line of saved names, [characters]: decks stay readable, and no parser limit is near.
LINE_LIMIT = 500
#: Relative tolerance from which on transistors that hardly moved since the last iteration are not
#: evaluated again.  They may then be wrong by as much: at 1e-4 that takes up to 1.7 mV off what a
#: sense stage sums over eight pulses, at 1e-5 0.01 mV, and in both cases a quarter off the time.
BYPASS_RELTOL = 1e-5


def build_deck(
    netlist: str,
    analysis: Analysis,
    save: Sequence[str],
    options: SolverOptions,
    *,
    klu: bool,
    objects: Sequence[str] = (),
) -> str:
    """Add options, saved signals, analysis and end to a circuit's text.

    Parameters
    ----------
    netlist : str
        Title line, elements, ``.model``, ``.subckt``; see `memspice.engines.spice_check`.
    analysis : Transient or OperatingPoint
    save : sequence of str
        Signals as in `memspice.engines.waveforms.canonical_name`, or ``all``; empty: all.
    options : SolverOptions
    klu : bool
        Ask for the KLU solver.
    objects : sequence of str
        Compiled models in the folder of the run, to load before the circuit is read.

    Returns
    -------
    str

    Raises
    ------
    NetlistError
        If ngspice would read the netlist otherwise than a person, see
        `memspice.engines.spice_check.check_netlist`.
    """
    check_netlist(netlist)
    lines = [netlist.rstrip("\n"), *_option_lines(options, klu), *_save_lines(save)]
    if objects:
        lines += [".control", f"pre_osdi {' '.join(objects)}", ".endc"]
    return "\n".join([*lines, _analysis_line(analysis), ".end", ""])


def _option_lines(options: SolverOptions, klu: bool) -> list[str]:
    tolerances = ("reltol", "abstol", "vntol", "chgtol", "trtol", "gmin")
    values = [f"{name}={float(getattr(options, name))!r}" for name in tolerances]
    integration = (
        f".options method={options.method} maxord={options.maxord} "
        f"itl1={options.itl1} itl4={options.itl4}"
    )
    lines = [" ".join([".options", *values]), integration]
    lines += [".options bypass=1"] if options.reltol <= BYPASS_RELTOL else []
    return [*lines, ".options klu"] if klu else lines


def _save_lines(save: Sequence[str]) -> list[str]:
    lines, line = [], ".save"
    for name in requested_signals(save):
        if len(line) + 1 + len(name) > LINE_LIMIT and line != ".save":
            lines.append(line)
            line = ".save"
        line += " " + name
    return [*lines, line] if line != ".save" else lines


def requested_signals(save: Sequence[str]) -> list[str]:
    """Canonical names to save: ground is known to be zero, the time is always there.

    Parameters
    ----------
    save : sequence of str

    Returns
    -------
    list of str
    """
    never = {f"v({name})" for name in GROUND_NAMES} | {"time"}
    names = ["all" if name.lower() == "all" else canonical_name(name) for name in save]
    return [name for name in names if name not in never]


def _analysis_line(analysis: Analysis) -> str:
    if not isinstance(analysis, Transient):
        return ".op"
    step = analysis.initial_step or analysis.max_step
    start = " uic" if analysis.from_rest else ""
    return f".tran {float(step)!r} {float(analysis.stop)!r} 0 {float(analysis.max_step)!r}{start}"
