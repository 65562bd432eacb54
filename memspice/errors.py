"""Everything memspice raises on purpose.

::

    MemspiceError
    +-- ConfigError            bad usage, a value out of range, an unknown name
    |   +-- ShapeError         arrays that do not fit together
    |   +-- DataError          a weights, data or parameter file that is missing or corrupt
    +-- NetlistError           a circuit that cannot be built, or that the engine had to repair
    +-- EngineError            an engine that failed; carries the netlist's path and the log's end
    |   +-- EngineNotFound     the engine is not installed
    |   +-- EngineVersionError the engine is too old, or was exchanged during the run
    |   +-- EngineTimeout      the run took longer than allowed
    |   +-- ConvergenceError   the solver gave up before the end of the run
    |   +-- TruncatedOutput    the engine's output is incomplete
    +-- StoreError             a result file that cannot be read or written
    +-- IncompleteResults      some of the results asked for are missing

A message says what is wrong, where with value and unit, and what to try.
"""

from __future__ import annotations


class MemspiceError(Exception):
    """Base of every error that memspice raises on purpose."""


class ConfigError(MemspiceError, ValueError):
    """A setting, argument or name that cannot be used."""


class ShapeError(ConfigError):
    """Arrays whose shapes do not fit together."""


class DataError(ConfigError):
    """A weights, data or parameter file that is missing or corrupt."""


class NetlistError(MemspiceError):
    """A circuit that cannot be built, or that an engine had to repair."""


class EngineError(MemspiceError):
    """A simulation that failed.

    Parameters
    ----------
    message : str
        What happened and what to try.
    log : str, optional
        The engine's own output; its end is shown below the message.
    """

    def __init__(self, message: str, log: str = "") -> None:
        tail = "\n".join(log.strip().splitlines()[-8:])
        super().__init__(f"{message}\n--- end of the engine's log ---\n{tail}" if tail else message)
        self.log = log


class EngineNotFound(EngineError):
    """The engine asked for is not installed."""


class EngineVersionError(EngineError):
    """The engine is older than what memspice needs, or not the one that it was before."""


class EngineTimeout(EngineError):
    """The run took longer than its time limit."""


class ConvergenceError(EngineError):
    """The solver gave up before the end of the run."""


class TruncatedOutput(EngineError):
    """The engine's output is incomplete or unreadable."""


class StoreError(MemspiceError):
    """A result file that cannot be read or written."""


class IncompleteResults(MemspiceError):
    """Some of the results asked for are missing."""
