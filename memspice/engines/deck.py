"""Circuit text to a complete ngspice deck: what the engine would silently repair is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from memspice.engines.base import Analysis, SolverOptions, Transient
from memspice.engines.waveforms import GROUND_NAMES, canonical_name
from memspice.errors import NetlistError

#: Longest line of saved names, [characters]: decks stay readable, and no parser limit is near.
LINE_LIMIT = 500
#: Cards that the engine writes itself; a second one in the netlist would run, save or end
#: something else than what was asked for.
RESERVED = frozenset(
    (".ac", ".dc", ".disto", ".four", ".meas", ".measure", ".noise", ".op", ".pss", ".pz")
    + (".sens", ".sp", ".tf", ".tran", ".option", ".options", ".save", ".plot", ".print")
    + (".probe", ".width", ".control", ".endc", ".end")
)
#: A literal zero, also as ``r=0`` and with a unit. A parameter that works out to 0 is not seen.
_ZERO = re.compile(r"(r|resistance)?=?[-+]?(0+\.?0*|\.0+)(e[-+]?\d+)?[a-z]*$", re.IGNORECASE)


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
        Title line, elements, ``.model``, ``.subckt``. Paths in ``.include`` must be absolute.
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
        If the netlist has no title line or no element, brings a card of `RESERVED`, or holds a
        resistor, capacitor or inductor without a value or a resistor of 0 ohm.
    """
    check_netlist(netlist)
    lines = [netlist.rstrip("\n"), *_option_lines(options, klu), *_save_lines(save)]
    if objects:
        lines += [".control", f"pre_osdi {' '.join(objects)}", ".endc"]
    return "\n".join([*lines, _analysis_line(analysis), ".end", ""])


def check_netlist(netlist: str) -> None:
    """Refuse what ngspice accepts without a word.

    Parameters
    ----------
    netlist : str

    Raises
    ------
    NetlistError
        See `build_deck`.
    """
    title, _, body = netlist.partition("\n")
    if re.match(r"[rclvi]\d\w*\s+\S+\s+\S+\s+[-+.\d]", title, re.IGNORECASE):
        raise NetlistError(
            f"the netlist's first line is its title and would be ignored, but it reads like an "
            f"element: {title!r}; put a title line before it"
        )
    n_elements = 0
    for number, line in _logical_lines(body):
        words = line.split()
        if words[0].lower() in RESERVED:
            raise NetlistError(
                f"netlist line {number}: {line!r} is written by the engine; remove it and use "
                "the arguments of run()"
            )
        if words[0][0].lower() in "rcl" and len(words) < 4:
            raise NetlistError(
                f"netlist line {number}: {line!r} has no value (ngspice would make one up); "
                "write name, two nodes and a value"
            )
        if words[0][0].lower() == "r" and _ZERO.match(words[3]):
            raise NetlistError(
                f"netlist line {number}: {line!r} is a resistor of 0 ohm, which ngspice turns into "
                "1 mohm without a word; merge its two nodes, or use a 0 V source"
            )
        n_elements += words[0][0].isalpha()
    if n_elements == 0:
        raise NetlistError(f"the netlist {title!r} has no element; nothing to simulate")


def _logical_lines(body: str) -> Iterator[tuple[int, str]]:
    """Lines with their number, comments and blanks dropped, ``+`` continuations joined."""
    start, joined = 0, ""
    for number, raw in enumerate(body.splitlines(), start=2):
        line = raw.strip()
        if not line or line.startswith("*"):
            continue
        if line.startswith("+") and joined:
            joined += " " + line[1:]
            continue
        if joined:
            yield start, joined
        start, joined = number, line
    if joined:
        yield start, joined


def _option_lines(options: SolverOptions, klu: bool) -> list[str]:
    tolerances = ("reltol", "abstol", "vntol", "chgtol", "trtol", "gmin")
    values = [f"{name}={float(getattr(options, name))!r}" for name in tolerances]
    integration = (
        f".options method={options.method} maxord={options.maxord} "
        f"itl1={options.itl1} itl4={options.itl4}"
    )
    lines = [" ".join([".options", *values]), integration]
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
