"""The ngspice adapter: one process a run, and only a complete answer is an answer.

Success is exit status 0 *and* no message outside `ngspice_log.HARMLESS` *and* the plot present
*and* points in it *and* the last time equal to the stop time *and* every value finite *and* every
requested signal there.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from memspice.engines.base import (
    DEFAULT_OPTIONS,
    Analysis,
    Cancelled,
    EngineInfo,
    SolverOptions,
    Transient,
)
from memspice.engines.deck import build_deck, requested_signals
from memspice.engines.ngspice_log import first_problem, tidy_log
from memspice.engines.process import run_process
from memspice.engines.rawfile import Plot, read_raw
from memspice.engines.waveforms import Waveforms, canonical_name
from memspice.errors import (
    ConfigError,
    EngineError,
    EngineNotFound,
    EngineTimeout,
    NetlistError,
    TruncatedOutput,
)

#: Largest log that is read, [bytes]; a longer one is a solver going round in circles.
LOG_LIMIT = 64 * 2**20
#: Longest time for one question to the executable, [s].
PROBE_SECONDS = 60.0
#: Last time against stop time, relative: the solver ends on the breakpoint to rounding.
STOP_TOLERANCE = 1e-9

_INSTALL = {
    "linux": "apt install ngspice, or conda install -c conda-forge ngspice",
    "darwin": "brew install ngspice",
    "win32": "conda install -c conda-forge ngspice (the console program is ngspice_con)",
}
_PROBE_CIRCUIT = "memspice probe\nV1 in 0 1\nR1 in 0 1k\n"
_STREAMS = ("stderr", "stdout")
_KLU_USED = "Using KLU as Direct Linear Solver"


class NgspiceEngine:
    """Runs circuits with an installed ngspice.

    Parameters
    ----------
    executable : str
        Name on the PATH, or path.
    keep_failed : Path, optional
        Folder to which the deck and the log of a failed run are copied.

    Raises
    ------
    EngineNotFound
        If there is no such executable.
    EngineError
        If it does not answer like ngspice.
    """

    def __init__(self, executable: str = "ngspice", *, keep_failed: Path | None = None) -> None:
        path = shutil.which(executable)
        if path is None:
            hint = _INSTALL.get(sys.platform, _INSTALL["linux"])
            raise EngineNotFound(f"{executable!r} is not an executable on the PATH; try: {hint}")
        self._info = probe(str(Path(path).absolute()))
        self._keep_failed = keep_failed

    @property
    def info(self) -> EngineInfo:
        """Version and abilities, as probed."""
        return self._info

    def run(
        self,
        netlist: str,
        analysis: Analysis,
        *,
        save: Sequence[str] = (),
        options: SolverOptions = DEFAULT_OPTIONS,
        timeout: float = 600.0,
        cancel: threading.Event | None = None,
    ) -> Waveforms:
        """Simulate a circuit in a process and a temporary folder of its own.

        Parameters
        ----------
        netlist : str
            Title line, elements, ``.model``, ``.subckt``; no analysis, no ``.end``. Paths in
            ``.include`` must be absolute.
        analysis : Transient or OperatingPoint
        save : sequence of str
            Signals to keep; every node voltage and branch current if empty.
        options : SolverOptions
        timeout : float, [s]
            Longest wall-clock time.
        cancel : threading.Event, optional
            Stops the run within 0.1 s after it is set.

        Returns
        -------
        Waveforms

        Raises
        ------
        ConfigError
            If KLU is asked for by name and this ngspice has none.
        NetlistError
            If the circuit is wrong, or ngspice repaired it.
        ConvergenceError
            If the solver gave up.
        TruncatedOutput
            If the raw file is missing, short or not up to the stop time.
        EngineTimeout, Cancelled
            If the run was stopped.
        EngineError
            If it failed in another way, gave a value that is not finite, or warned of something
            not known to be harmless.
        """
        if options.linear_solver == "klu" and not self.info.klu:
            raise ConfigError(
                f"linear_solver = 'klu', but {self.info.path} (ngspice {self.info.version}) has "
                "no KLU; use 'auto'"
            )
        klu = self.info.klu and options.linear_solver != "sparse"
        deck = build_deck(netlist, analysis, save, options, klu=klu)
        with tempfile.TemporaryDirectory(prefix="memspice-") as name:
            folder = Path(name)
            try:
                _write_deck(folder / "deck.cir", deck)
                waveforms = self._simulate(folder, deck, analysis, timeout, cancel)
                _check_signals(waveforms, save)
                if options.linear_solver == "klu" and _KLU_USED not in waveforms.log:
                    raise EngineError("ngspice did not use KLU as asked", waveforms.log)
            except (EngineError, NetlistError) as error:
                self._keep(folder, deck, error)  # names the copy in the message
                raise
        return waveforms

    def _simulate(
        self,
        folder: Path,
        deck: str,
        analysis: Analysis,
        timeout: float,
        cancel: threading.Event | None,
    ) -> Waveforms:
        command = [self.info.path, "-n", "-b", "-r", "out.raw", "-o", "log", "deck.cir"]
        start = time.monotonic()
        try:
            status = run_process(command, folder, timeout=timeout, cancel=cancel)
        except EngineTimeout as error:
            raise EngineTimeout(str(error), read_log(folder)) from None
        wall_seconds = time.monotonic() - start
        log = read_log(folder)
        problem = first_problem(log, deck)
        if problem is not None:
            message = problem.message
            if problem.kind is NetlistError:
                raise NetlistError(message)
            raise problem.kind(message, log)
        if status != 0:
            raise EngineError(f"ngspice ended with {_describe_status(status)}", log)
        plot = _read_only_plot(folder, analysis, log)
        return _to_waveforms(plot, analysis, log, wall_seconds)

    def _keep(self, folder: Path, deck: str, error: EngineError | NetlistError) -> None:
        """Copy the deck and the log of a failed run, and say where in the error's message."""
        if self._keep_failed is None or isinstance(error, Cancelled):
            return
        kept = self._keep_failed / f"failed-{hashlib.sha256(deck.encode()).hexdigest()[:12]}"
        try:
            kept.mkdir(parents=True, exist_ok=True)
            for part in ("deck.cir", "log", *_STREAMS):
                if (folder / part).is_file():
                    shutil.copyfile(folder / part, kept / part)
            note = f"deck and log kept in {kept}"
        except OSError as failure:
            note = f"deck and log could not be kept in {kept}: {failure.strerror}"
        error.args = (f"{error.args[0]}\n{note}", *error.args[1:])


@functools.cache
def probe(path: str) -> EngineInfo:
    """Ask an ngspice what it is and try what it can do; nothing is concluded from a version.

    Parameters
    ----------
    path : str
        Absolute path of the executable; asked once per path and process.

    Returns
    -------
    EngineInfo

    Raises
    ------
    EngineError
        If its banner is not ngspice's.
    """
    banner = _ask([path, "--version"], "")
    version = re.search(r"ngspice-(\S+)", banner)
    if version is None:
        raise EngineError(f"{path} --version does not answer like ngspice", banner)
    command = [path, "-n", "-b", "probe.cir"]
    klu = _ask(command, f"{_PROBE_CIRCUIT}.options klu\n.op\n.end\n")
    # A missing library must be looked for: an ngspice without OSDI does not know the command.
    missing = "memspice-missing.osdi"
    osdi = _ask(command, f"{_PROBE_CIRCUIT}.control\npre_osdi {missing}\n.endc\n.op\n.end\n")
    return EngineInfo(
        name="ngspice",
        version=version[1],
        path=path,
        osdi=missing in osdi and "no such command" not in osdi,
        klu=_KLU_USED in klu,
    )


def _ask(command: Sequence[str], deck: str) -> str:
    with tempfile.TemporaryDirectory(prefix="memspice-") as name:
        folder = Path(name)
        (folder / "probe.cir").write_text(deck, encoding="utf-8")
        run_process(command, folder, timeout=PROBE_SECONDS)
        return "\n".join((folder / part).read_text("utf-8", "replace") for part in _STREAMS)


def _write_deck(path: Path, deck: str) -> None:
    try:
        path.write_text(deck, encoding="utf-8")
    except OSError as error:
        raise EngineError(
            f"cannot write {path}: {error.strerror}; free disk space or set TMPDIR"
        ) from error


def read_log(folder: Path) -> str:
    """Everything the engine wrote in words, tidied.

    Parameters
    ----------
    folder : Path
        Where it ran.

    Returns
    -------
    str

    Raises
    ------
    EngineError
        If there is more of it than `LOG_LIMIT`.
    """
    paths = [folder / part for part in ("log", *_STREAMS) if (folder / part).is_file()]
    size = sum(path.stat().st_size for path in paths)
    if size > LOG_LIMIT:
        with paths[0].open("rb") as file:
            head = file.read(2000).decode("utf-8", "replace")
        raise EngineError(f"ngspice wrote a log of {size / 2**20:.0f} MiB; it begins:\n{head}")
    return tidy_log("\n".join(path.read_text("utf-8", "replace") for path in paths))


def _describe_status(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"signal {-status} (killed or crashed)"


def _read_only_plot(folder: Path, analysis: Analysis, log: str) -> Plot:
    expected = "Transient Analysis" if isinstance(analysis, Transient) else "Operating Point"
    try:
        if not (folder / "out.raw").exists():
            raise TruncatedOutput("ngspice wrote no raw file")
        plots = read_raw(folder / "out.raw")
    except TruncatedOutput as error:
        free = shutil.disk_usage(folder).free / 2**20
        raise TruncatedOutput(
            f"{error}; {folder.parent} has {free:.0f} MiB free: if the disk was full, free space "
            "or set TMPDIR",
            log,
        ) from error
    names = [plot.plotname for plot in plots]
    if names != [expected]:
        raise EngineError(f"expected one plot {expected!r} in the raw file, found {names}", log)
    return plots[0]


def _to_waveforms(plot: Plot, analysis: Analysis, log: str, wall_seconds: float) -> Waveforms:
    signals = {canonical_name(name): plot.data[:, k] for k, name in enumerate(plot.variables)}
    for name, values in signals.items():
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise EngineError(
                f"{name} is {values[row]} at point {row} of {values.size}; look for a division "
                "by zero or an overflow in the circuit's expressions",
                log,
            )
    if not isinstance(analysis, Transient):
        return Waveforms(np.zeros(1), signals, log, wall_seconds)
    if "time" not in signals:
        raise TruncatedOutput(f"the transient has no time, only {list(signals)[:5]}", log)
    times = signals.pop("time")
    if abs(times[-1] - analysis.stop) > STOP_TOLERANCE * analysis.stop:
        raise TruncatedOutput(
            f"the transient ends at {times[-1]:.9g} s instead of {analysis.stop:.9g} s", log
        )
    return Waveforms(times, signals, log, wall_seconds)


def _check_signals(waveforms: Waveforms, save: Sequence[str]) -> None:
    missing = [
        name for name in requested_signals(save) if name not in waveforms.signals and name != "all"
    ]
    if missing:
        near = difflib.get_close_matches(missing[0], waveforms.signals, n=3, cutoff=0.4)
        raise NetlistError(
            f"ngspice saved nothing for {', '.join(missing[:5])} ({len(missing)} of {len(save)} "
            f"signals): not in the circuit; correct save= (nearest: {', '.join(near) or 'none'})"
        )
