"""What every adapter does with a run: its files, its words, and the checks of its answer."""

from __future__ import annotations

import difflib
import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memspice.engines.base import Analysis, Cancelled, Transient
from memspice.engines.deck import requested_signals
from memspice.engines.process import OUTPUT_LIMIT, WORDS, run_process
from memspice.engines.rawfile import Plot, open_output, read_raw
from memspice.engines.run_folder import run_folder
from memspice.engines.waveforms import Waveforms
from memspice.errors import EngineError, NetlistError, TruncatedOutput
from memspice.resources import write_advice

#: Longest time for one question to the executable, [s].
PROBE_SECONDS = 60.0
#: What a raw file may call a signal, by the begin of its canonical name; VACASK says ``notype``.
_KINDS = {
    "time": {"time", "notype"},
    "v(": {"voltage", "notype"},
    "i(": {"current", "notype"},
}
#: Last time against stop time, relative: the solver ends on the breakpoint to rounding.
STOP_TOLERANCE = 1e-9


def ask(command: Sequence[str], files: Mapping[str, str]) -> str:
    """What a program says to a small input, whatever its exit status.

    Parameters
    ----------
    command : sequence of str
    files : mapping of str to str
        Text by file name, written into the folder that the program runs in.

    Returns
    -------
    str
    """
    with run_folder() as folder:
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        run_process(command, folder, timeout=PROBE_SECONDS)
        return "\n".join((folder / part).read_text("utf-8", "replace") for part in WORDS[1:])


def write_input(path: Path, text: str) -> None:
    """Write an input file of a run.

    Parameters
    ----------
    path : Path
    text : str

    Raises
    ------
    EngineError
        If the disk does not take it.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EngineError(
            f"cannot write {path}: {error.strerror}; {write_advice(error, 'TMPDIR')}"
        ) from error


def read_log(folder: Path, engine: str) -> str:
    """Everything the engine wrote in words.

    Parameters
    ----------
    folder : Path
        Where it ran.
    engine : str
        Name for the message.

    Returns
    -------
    str

    Raises
    ------
    EngineError
        If there is more of it than `OUTPUT_LIMIT`, or something else in its place.
    """
    texts, left = [], OUTPUT_LIMIT
    for path in (folder / part for part in WORDS):
        if not os.path.lexists(path):
            continue
        with open_output(path) as file:
            texts.append(file.read(left + 1).decode("utf-8", "replace"))
            left -= file.tell()
        if left < 0:
            raise EngineError(
                f"{engine} wrote a log of more than {OUTPUT_LIMIT / 2**20:.0f} MiB; it begins:\n"
                f"{texts[0][:2000]}"
            )
    return "\n".join(texts)


def describe_status(status: int) -> str:
    """Exit status in words; negative is the signal that ended the program."""
    return f"exit status {status}" if status >= 0 else f"signal {-status} (killed or crashed)"


def keep_failed(
    folder: Path, input_name: str, destination: Path | None, error: EngineError | NetlistError
) -> None:
    """Copy the input and the log of a failed run, and say where in the error's message.

    Parameters
    ----------
    folder : Path
        Where the engine ran.
    input_name : str
        The engine's input file in that folder.
    destination : Path or None
        Where failed runs are kept; nothing is kept if None, nor of a cancelled run.
    error : EngineError or NetlistError
        Gets a line more.
    """
    source = folder / input_name
    if destination is None or isinstance(error, Cancelled) or not source.is_file():
        return
    kept = destination / f"failed-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}"
    try:
        kept.mkdir(parents=True, exist_ok=True)
        for part in (input_name, *WORDS):
            if (folder / part).is_file() and not (folder / part).is_symlink():
                shutil.copyfile(folder / part, kept / part)
        note = f"deck and log kept in {kept}"
    except OSError as failure:
        note = f"deck and log could not be kept in {kept}: {failure.strerror}"
    error.args = (f"{error.args[0]}\n{note}", *error.args[1:])


def mark_deck(deck: str) -> tuple[str, str]:
    """Give a deck a title that no other deck has: the result's title then says whose it is.

    Parameters
    ----------
    deck : str
        Its first line is the title.

    Returns
    -------
    deck, mark : str
        The deck, whose title now begins with the mark.
    """
    mark = f"* {hashlib.sha256(deck.encode()).hexdigest()[:32]}"
    return f"{mark} {deck}", mark


def read_only_plot(raw: Path, plotname: str, mark: str, engine: str, log: str) -> Plot:
    """Read the raw file of one analysis.

    Parameters
    ----------
    raw : Path
        The raw file.
    plotname : str
        What the engine calls the analysis.
    mark : str
        How its title begins, see `mark_deck`.
    engine, log : str
        For the messages.

    Returns
    -------
    Plot

    Raises
    ------
    TruncatedOutput
        If the file is missing or not whole.
    EngineError
        If it holds another analysis, several, or that of another deck.
    """
    try:
        if not os.path.lexists(raw):
            raise TruncatedOutput(f"{engine} wrote no raw file")
        plots = read_raw(raw)
    except TruncatedOutput as error:
        free = shutil.disk_usage(raw.parent).free / 2**20
        raise TruncatedOutput(
            f"{error}; {raw.parent.parent} has {free:.0f} MiB free: if the disk was full, free "
            "space or set TMPDIR",
            log,
        ) from error
    names = [plot.plotname for plot in plots]
    if names != [plotname]:
        raise EngineError(f"expected one plot {plotname!r} in the raw file, found {names}", log)
    if not plots[0].title.startswith(mark):
        raise EngineError(
            f"{engine}'s raw file is that of another deck: its title is {plots[0].title[:80]!r}, "
            f"not {mark!r}",
            log,
        )
    return plots[0]


def to_waveforms(
    plot: Plot,
    analysis: Analysis,
    spell: Callable[[str], str],
    log: str,
    wall_seconds: float,
) -> Waveforms:
    """Signals under their canonical names, all finite, from the first time to the stop time.

    Parameters
    ----------
    plot : Plot
    analysis : Transient or OperatingPoint
        What was asked for.
    spell : callable
        From the engine's name of a signal to the one of `Waveforms.signals`.
    log : str
    wall_seconds : float, [s]

    Returns
    -------
    Waveforms

    Raises
    ------
    EngineError
        If a value is not finite, a signal is there twice or is of another kind than its name says,
        or the times are not those of one transient.
    TruncatedOutput
        If a transient has no time, or does not end at its stop time.
    """
    signals: dict[str, NDArray[np.float64]] = {}
    for column, (written, kind) in enumerate(zip(plot.variables, plot.kinds, strict=True)):
        name, values = spell(written), plot.data[:, column]
        if name in signals:
            raise EngineError(f"the raw file has the signal {name} twice", log)
        if kind not in _KINDS.get(name if name == "time" else name[:2], {kind}):
            raise EngineError(f"{name} is a {kind!r} in the raw file", log)
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise EngineError(
                f"{name} is {values[row]} at point {row} of {values.size}; look for a division "
                "by zero or an overflow in the circuit's expressions",
                log,
            )
        signals[name] = values
    if isinstance(analysis, Transient):
        if "time" not in signals:
            raise TruncatedOutput(f"the transient has no time, only {list(signals)[:5]}", log)
        times = signals.pop("time")
        _check_times(times, analysis, log)
        return Waveforms(times, signals, log, wall_seconds)
    if len(plot.data) != 1 or "time" in signals:
        raise EngineError(f"the operating point has {len(plot.data)} points, or a time", log)
    return Waveforms(np.zeros(1), signals, log, wall_seconds)


def _check_times(times: NDArray[np.float64], analysis: Transient, log: str) -> None:
    if times.size < 2:
        raise TruncatedOutput(f"the transient has {times.size} point; two are the fewest", log)
    step = min(analysis.initial_step or analysis.max_step, analysis.stop / 100)
    # From rest ngspice writes no point at 0, but one after its first step, which is a tenth.
    latest = step / 10 if analysis.from_rest else 0.0
    if not 0.0 <= times[0] <= latest:
        raise EngineError(f"the transient begins at {times[0]:.9g} s, not at 0", log)
    steps = np.diff(times)
    if not (steps > 0).all():
        row = int(np.argmin(steps > 0))
        raise EngineError(
            f"time does not rise from point {row} to the next: {times[row]:.17g} s, "
            f"{times[row + 1]:.17g} s",
            log,
        )
    if abs(times[-1] - analysis.stop) > STOP_TOLERANCE * analysis.stop:
        raise TruncatedOutput(
            f"the transient ends at {times[-1]:.9g} s instead of {analysis.stop:.9g} s", log
        )


def check_signals(waveforms: Waveforms, save: Sequence[str], engine: str) -> None:
    """Refuse an answer that lacks a signal that was asked for, or has others.

    Parameters
    ----------
    waveforms : Waveforms
    save : sequence of str
        As given to `Engine.run`.
    engine : str
        Name for the message.

    Raises
    ------
    NetlistError
        If a signal of `save` is not there; the message names the nearest that are.
    EngineError
        If there is one that was not asked for.
    """
    wanted = requested_signals(save)
    missing = [name for name in wanted if name not in waveforms.signals and name != "all"]
    if missing:
        near = difflib.get_close_matches(missing[0], waveforms.signals, n=3, cutoff=0.4)
        raise NetlistError(
            f"{engine} saved nothing for {', '.join(missing[:5])} ({len(missing)} of {len(save)} "
            f"signals): not in the circuit; correct save= (nearest: {', '.join(near) or 'none'})"
        )
    extra = sorted(set(waveforms.signals).difference(wanted))
    if extra and wanted and "all" not in wanted:
        raise EngineError(
            f"{engine} wrote {', '.join(extra[:5])} ({len(extra)} signals) that were not asked for",
            waveforms.log,
        )
