"""What every engine offers: one method, `run`, from circuit text to waveforms."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from memspice.circuits.deck import Deck
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, EngineError


def _check_positive(name: str, value: float, unit: str) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ConfigError(f"{name} = {value} {unit}".rstrip() + " must be finite and above 0")


class Cancelled(EngineError):
    """The run was stopped because the caller asked for it; not a fault of the circuit."""


@dataclass(frozen=True)
class EngineInfo:
    """An installed engine and what it was seen to do.

    Parameters
    ----------
    name, version, path : str
        For instance ``ngspice``, ``39`` (as its banner says), ``/usr/bin/ngspice``.
    osdi : bool
        Loads compiled Verilog-A models, and there is a compiler for them.
    klu : bool
        Has the KLU sparse solver.
    sha256 : str
        Hash of the program and of its libraries that count, see
        `memspice.engines.executable.fingerprint`; empty only for a stand-in of a test.
    banner : str
        Version as the program itself says it at the begin of each run.
    """

    name: str
    version: str
    path: str
    osdi: bool
    klu: bool
    sha256: str = ""
    banner: str = ""

    def as_json(self) -> dict[str, str | bool]:
        """Engine as results and stores name it: the program by its hash, not by its place."""
        return {
            **{"name": self.name, "version": self.version, "osdi": self.osdi, "klu": self.klu},
            "executable": self.sha256,
        }


@dataclass(frozen=True)
class OperatingPoint:
    """The stationary state: capacitors open, sources at their value at time 0."""


@dataclass(frozen=True)
class Transient:
    """A run in time from the operating point at 0, or from rest.

    Parameters
    ----------
    stop : float, [s]
        Last time point.
    max_step : float, [s]
        Longest step the solver may take.
    initial_step : float, optional, [s]
        Scale of the first step (ngspice starts at a tenth of it or less); `max_step` if not given.
    from_rest : bool
        Start from zero volts everywhere (and the ``ic=`` of elements), without operating point.

    Raises
    ------
    ConfigError
        If a time is not finite and above 0, or a step is longer than `stop`.
    """

    stop: float
    max_step: float
    initial_step: float | None = None
    from_rest: bool = False

    def __post_init__(self) -> None:
        """Check the times."""
        _check_positive("stop", self.stop, "s")
        for name in ("max_step", "initial_step"):
            step = getattr(self, name)
            if step is None:
                continue
            _check_positive(name, step, "s")
            if step > self.stop:
                raise ConfigError(f"{name} = {step} s is longer than stop = {self.stop} s")


Analysis = Transient | OperatingPoint


@dataclass(frozen=True)
class SolverOptions:
    """Tolerances and integration method, in SPICE's own words.

    The defaults are tighter than ngspice's (reltol 1e-3, vntol 1e-6, chgtol 1e-14), because cell
    currents are microamperes and below: a nanosecond of 100 nA is 1e-16 C.

    Parameters
    ----------
    reltol : float
        Relative tolerance of voltages and currents, below 1.
    abstol : float, [A]
        Absolute tolerance of currents.
    vntol : float, [V]
        Absolute tolerance of voltages.
    chgtol : float, [C]
        Absolute tolerance of charges.
    trtol : float
        Factor by which the truncation error is assumed to be overestimated.
    gmin : float, [S]
        Conductance that the engine puts across every junction.
    method : {"gear", "trap"}
        Gear damps the ringing that the trapezoidal rule shows at switching events.
    maxord : int
        Highest order of integration: 2 to 6 for gear, 1 or 2 for trap.
    itl1, itl4 : int
        Most Newton iterations for the operating point, and for one time point.
    linear_solver : {"auto", "sparse", "klu"}
        ``auto`` is KLU where the engine has it.

    Raises
    ------
    ConfigError
        If a value is out of its range.
    """

    reltol: float = 1e-4
    abstol: float = 1e-12
    vntol: float = 1e-7
    chgtol: float = 1e-16
    trtol: float = 7.0
    gmin: float = 1e-12
    method: Literal["gear", "trap"] = "gear"
    maxord: int = 2
    itl1: int = 100
    itl4: int = 10
    linear_solver: Literal["auto", "sparse", "klu"] = "auto"

    def __post_init__(self) -> None:
        """Check the ranges."""
        units = {"reltol": "", "abstol": "A", "vntol": "V", "chgtol": "C", "trtol": "", "gmin": "S"}
        for name, unit in units.items():
            _check_positive(name, getattr(self, name), unit)
        if self.reltol >= 1:
            raise ConfigError(f"reltol = {self.reltol} must be below 1; try 1e-4")
        orders = {"gear": range(2, 7), "trap": range(1, 3)}
        if self.method not in orders:
            raise ConfigError(f"method = {self.method!r} is unknown; use 'gear' or 'trap'")
        if self.maxord not in orders[self.method]:
            allowed = orders[self.method]
            raise ConfigError(
                f"maxord = {self.maxord} is outside {allowed[0]} to {allowed[-1]} of {self.method}"
            )
        if min(self.itl1, self.itl4) < 1:
            raise ConfigError(f"itl1 = {self.itl1} and itl4 = {self.itl4} must be at least 1")
        if self.linear_solver not in ("auto", "sparse", "klu"):
            raise ConfigError(
                f"linear_solver = {self.linear_solver!r} is unknown; use auto, sparse or klu"
            )


DEFAULT_OPTIONS = SolverOptions()


class Engine(Protocol):
    """A circuit simulator."""

    @property
    def info(self) -> EngineInfo:
        """Which engine this is."""
        ...

    def write(self, deck: Deck) -> str:
        """Netlist of a circuit in the engine's own dialect, without analysis.

        Parameters
        ----------
        deck : Deck
            What is to be simulated; the same for every engine.

        Returns
        -------
        str
            What `run` takes.

        Raises
        ------
        NetlistError
            If the engine cannot express an element.
        """
        ...

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
            As `write` makes it: title line, models, elements; no analysis.
        analysis : Transient or OperatingPoint
        save : sequence of str
            Signals to keep, as `Waveforms.signals` names them; every node voltage and branch
            current if empty.
        options : SolverOptions
        timeout : float, [s]
            Longest wall-clock time, at least `memspice.engines.process.POLL_SECONDS`.
        cancel : threading.Event, optional
            Stops the run within 0.1 s after it is set.

        Returns
        -------
        Waveforms
            Complete and finite, with every signal of `save`.

        Raises
        ------
        ConfigError
            If the engine has no such linear solver or order of integration, or the timeout is too
            short.
        EngineVersionError
            If the program is no longer the one that was probed.
        DataError
            If the netlist loads a model that is not in ``models/``.
        NetlistError
            If the circuit or a model is wrong, or the engine repaired it.
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
        ...
