"""The ngspice adapter: one process a run, and only a complete answer is an answer.

Success is exit status 0 *and* no message outside `ngspice_log.HARMLESS` *and* the plot present
*and* points in it *and* the last time equal to the stop time *and* every value finite *and* every
requested signal there.
"""

from __future__ import annotations

import functools
import re
import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from memspice.circuits.deck import Deck, comment_lines
from memspice.circuits.verilog import VerilogModule
from memspice.engines.base import (
    DEFAULT_OPTIONS,
    Analysis,
    EngineInfo,
    SolverOptions,
)
from memspice.engines.compiled import model_interface
from memspice.engines.deck import build_deck
from memspice.engines.executable import check_unchanged, check_version, fingerprint
from memspice.engines.ngspice_log import first_problem, tidy_log
from memspice.engines.osdi import has_compiler
from memspice.engines.results import ask
from memspice.engines.simulation import Adapter, Job, simulate
from memspice.engines.veriloga import osdi_subcircuit
from memspice.engines.waveforms import Waveforms, canonical_name
from memspice.errors import ConfigError, EngineError, EngineNotFound
from memspice.resources import resource_path

_INSTALL = {
    "linux": "apt install ngspice, or conda install -c conda-forge ngspice",
    "darwin": "brew install ngspice",
    "win32": "conda install -c conda-forge ngspice (the console program is ngspice_con)",
}
_PROBE_CIRCUIT = "memspice probe\nV1 in 0 1\nR1 in 0 1k\n"
#: Oldest version that memspice runs.
OLDEST = (39,)
_BANNER = re.compile(r"^\*\* ngspice-(\S+)", re.MULTILINE)
_ADAPTER = Adapter(
    name="ngspice",
    input_name="deck.cir",
    raw_name="out.raw",
    tidy_log=tidy_log,
    first_problem=first_problem,
    spell=canonical_name,
    banner=_BANNER,
)
#: Models that a netlist takes from compiled Verilog-A, as `osdi_subcircuit` names them.
_COMPILED = re.compile(r"^\.model (\w+)_osdi \1$", re.MULTILINE)
_KLU_USED = "Using KLU as Direct Linear Solver"


class Ngspice:
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
    EngineVersionError
        If it is older than `OLDEST`.
    EngineError
        If it does not answer like ngspice.
    """

    def __init__(self, executable: str = "ngspice", *, keep_failed: Path | None = None) -> None:
        path = shutil.which(executable)
        if path is None:
            hint = _INSTALL.get(sys.platform, _INSTALL["linux"])
            raise EngineNotFound(f"{executable!r} is not an executable on the PATH; try: {hint}")
        path = str(Path(path).absolute())
        info = probe(path, _fingerprint(path))
        self._info = replace(info, osdi=info.osdi and has_compiler())
        self._keep_failed = keep_failed

    @property
    def info(self) -> EngineInfo:
        """Version and abilities, as probed."""
        return self._info

    @staticmethod
    def example(deck: Deck, header: str) -> str:
        """Netlist for a reader below a header, models in behavioural text; needs no ngspice."""
        return f"{comment_lines(header)}\n*\n{deck.spice()}"

    def write(self, deck: Deck) -> str:
        """Netlist of a circuit in SPICE, with the models as subcircuits.

        They are around compiled Verilog-A where this ngspice loads it, behavioural text of the same
        interface where it does not; transistors of ngspice's own have no other text.
        """
        return deck.spice(_compiled_text, carried_text) if self.info.osdi else deck.spice()

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
        """Simulate a circuit, as `memspice.engines.base.Engine.run` says.

        The netlist has no ``.end`` and no ``.include``; a `ConfigError` too says that KLU was asked
        for by name and this ngspice has none.
        """
        if options.linear_solver == "klu" and not self.info.klu:
            raise ConfigError(
                f"linear_solver = 'klu', but {self.info.path} (ngspice {self.info.version}) has "
                "no KLU; use 'auto'"
            )
        check_unchanged("ngspice", self.info.path, self.info.sha256, _fingerprint(self.info.path))
        klu = self.info.klu and options.linear_solver != "sparse"
        models = _COMPILED.findall(netlist)
        objects = [f"{name}.osdi" for name in models]
        deck = build_deck(netlist, analysis, save, options, klu=klu, objects=objects)
        files = ("-r", _ADAPTER.raw_name, "-o", "log", _ADAPTER.input_name)
        command = (self.info.path, "-n", "-b", *files)
        job = Job(
            command=command,
            deck=deck,
            models=models,
            analysis=analysis,
            save=save,
            timeout=timeout,
            cancel=cancel,
            banner=self.info.banner,
        )
        by_name = options.linear_solver == "klu"
        return simulate(_ADAPTER, job, self._keep_failed, _check_klu if by_name else None)


def _check_klu(waveforms: Waveforms) -> None:
    if _KLU_USED not in waveforms.log:
        raise EngineError("ngspice did not use KLU as asked", waveforms.log)


def _compiled_text(name: str) -> str | None:
    """Subcircuit around compiled Verilog-A; None of a transistor, which ngspice has built in."""
    if not resource_path(f"{name}.lib").with_suffix(".va").exists():
        return None
    return osdi_subcircuit(model_interface(name))


def carried_text(module: VerilogModule) -> str:
    """Subcircuit around a module of the user's, whose text the netlist carries."""
    interface = osdi_subcircuit(model_interface(module.name, module.files))
    return f"{module.carried('*')}\n{interface.strip()}"


def _fingerprint(path: str) -> str:
    """Hash of an ngspice, its start-up file and its code models."""
    prefix = Path(path).resolve().parents[1]
    start = prefix / "share" / "ngspice" / "scripts" / "spinit"
    return fingerprint(path, [start, *prefix.glob("lib*/ngspice/*.cm"),
                              *prefix.glob("lib*/*/ngspice/*.cm")])  # fmt: skip


@functools.cache
def probe(path: str, sha256: str) -> EngineInfo:
    """Ask an ngspice what it is and try what it can do.

    Parameters
    ----------
    path : str
        Absolute path of the executable.
    sha256 : str
        As of `memspice.engines.executable.fingerprint`; asked once for each content and process.

    Returns
    -------
    EngineInfo

    Raises
    ------
    EngineVersionError
        If it is older than `OLDEST`. Of a newer one nothing is concluded from its version.
    EngineError
        If its banner is not ngspice's.
    """
    banner = ask([path, "--version"], {})
    version = re.search(r"ngspice-(\S+)", banner)
    if version is None:
        raise EngineError(f"{path} --version does not answer like ngspice", banner)
    check_version("ngspice", version[1], path, OLDEST)
    command = [path, "-n", "-b", "probe.cir"]
    klu = ask(command, {"probe.cir": f"{_PROBE_CIRCUIT}.options klu\n.op\n.end\n"})
    # A missing library must be looked for: an ngspice without OSDI does not know the command.
    missing = "memspice-missing.osdi"
    load = f"{_PROBE_CIRCUIT}.control\npre_osdi {missing}\n.endc\n.op\n.end\n"
    osdi = ask(command, {"probe.cir": load})
    return EngineInfo(
        name="ngspice",
        version=version[1],
        path=path,
        osdi=missing in osdi and "no such command" not in osdi,
        klu=_KLU_USED in klu,
        sha256=sha256,
        banner=version[1],
    )
