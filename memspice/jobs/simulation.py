"""One engine run and what is read from it, as a value that another process can carry out."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from memspice.engines import find_engine
from memspice.engines.base import (
    Analysis,
    Engine,
    EngineInfo,
    OperatingPoint,
    SolverOptions,
    Transient,
)
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError
from memspice.jobs.cache import Entry
from memspice.jobs.identity import content_hash
from memspice.jobs.sources import tools

Result = TypeVar("Result")

_ANALYSES: Mapping[str, type[Analysis]] = {
    kind.__name__: kind for kind in (Transient, OperatingPoint)
}


@dataclass(frozen=True)
class EngineRequest:
    """Request to an engine: the arguments of `memspice.engines.base.Engine.run`."""

    netlist: str
    analysis: Analysis
    save: tuple[str, ...]
    options: SolverOptions

    def as_json(self) -> dict[str, Any]:
        """Values that JSON can hold; `from_json` reads them back."""
        return {
            "netlist": self.netlist,
            "analysis": {"kind": type(self.analysis).__name__, **asdict(self.analysis)},
            "save": list(self.save),
            "options": asdict(self.options),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> EngineRequest:
        """Read back what `as_json` gave."""
        analysis = dict(values["analysis"])
        kind = _ANALYSES[analysis.pop("kind")]
        options = SolverOptions(**values["options"])
        return cls(values["netlist"], kind(**analysis), tuple(values["save"]), options)


@dataclass(frozen=True)
class EngineSource:
    """An engine for threads of this process, and the way to its like in another one.

    Parameters
    ----------
    info : EngineInfo or None
        None only for a stand-in of a test, which cannot leave the process.
    live : Engine, optional
        The engine of this process; it stays here when the source is sent away.
    """

    info: EngineInfo | None
    live: Engine | None = field(default=None, compare=False, repr=False)

    def open(self) -> Engine:
        """Return the engine, or find the same one here.

        Raises
        ------
        EngineNotFound
            If this machine has no such engine.
        ConfigError
            If it has another version of it, or one of other abilities.
        """
        if self.live is not None:
            return self.live
        assert self.info is not None
        engine = find_engine(self.info.name)
        wanted, found = tools(self.info), tools(engine.info)
        apart = [f"{key} {found.get(key)}, not {value}" for key, value in wanted.items()
                 if found.get(key) != value]  # fmt: skip
        if apart:
            raise ConfigError(
                f"{engine.info.path} of this worker differs from the engine of the run: "
                f"{'; '.join(apart)}. Install the same on every machine"
            )
        return engine

    def __reduce__(self) -> tuple[type[EngineSource], tuple[EngineInfo | None]]:
        return EngineSource, (self.info,)


class Codec(Protocol[Result]):
    """Codec that keeps a kind of result in the cache."""

    def pack(self, result: Result) -> Entry:
        """Content of a result."""
        ...

    def unpack(self, entry: Entry) -> Result:
        """Result from its content, equal to the bit; a `StoreError` if it is none."""
        ...


@dataclass(frozen=True)
class Simulation(Generic[Result]):
    """One engine run and what is read from it.

    Parameters
    ----------
    name : str
        For messages and lists.
    request : EngineRequest
        What the engine is asked.
    identity : tuple
        Everything besides the request that decides what `evaluate` returns; it must have a
        `content_hash`.
    evaluate : callable
        From the waveforms to the result; a function of a module (or a `functools.partial` of one),
        so that it can be sent to another process.
    codec : Codec
        Keeps the result in the cache.
    accept : callable, optional
        Whether a result may be kept in the cache, or taken from there.
    """

    name: str
    request: EngineRequest
    identity: tuple[object, ...]
    evaluate: Callable[[Waveforms], Result]
    codec: Codec[Result]
    accept: Callable[[Result], bool] = lambda result: True

    def key(self, info: EngineInfo | None) -> str:
        """Hash of everything that decides the result, the engine `info` included."""
        return content_hash("simulation 1", tools(info), self.request, self.identity)


@dataclass(frozen=True)
class Answer(Generic[Result]):
    """A result, and the hash of the waveforms that it was read from."""

    result: Result
    waveforms: str


def run_simulation(
    request: EngineRequest,
    evaluate: Callable[[Waveforms], Result],
    source: EngineSource,
    timeout: float,
    cancel: threading.Event,
) -> Answer[Result]:
    """Run the engine and evaluate its waveforms, here.

    Parameters
    ----------
    request, evaluate
        As of `Simulation`.
    source : EngineSource
    timeout : float, [s]
        Longest run of the engine.
    cancel : threading.Event
        Stops the engine when set.

    Raises
    ------
    ConfigError, NetlistError, EngineError
        See `EngineSource.open` and the engine.
    """
    waves = source.open().run(
        request.netlist,
        request.analysis,
        save=list(request.save),
        options=request.options,
        timeout=timeout,
        cancel=cancel,
    )
    return Answer(evaluate(waves), waveforms_hash(waves))


def waveforms_hash(waves: Waveforms) -> str:
    """Hash of time and all signals, to the bit; the log and the wall-clock time do not count."""
    digest = hashlib.sha256(waves.time.tobytes())
    for name in sorted(waves.signals):
        digest.update(name.encode() + b"\0" + waves.signals[name].tobytes())
    return digest.hexdigest()
