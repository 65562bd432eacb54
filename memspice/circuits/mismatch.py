"""Transistors that differ within a sense stage, and what their thresholds do to its drive.

Thresholds of transistors drawn alike differ by a normal spread of ``A / sqrt(W L)``, the more the
smaller the gate (Pelgrom et al., IEEE J. Solid-State Circuits 24, 1433, 1989).  The drive of a
stage at equal currents and the logarithm of its gain, which a mirror near weak inversion makes,
move with each of them nearly in proportion: so what a neuron's own stage is off the one that was
measured is two numbers, an offset of its drive and a factor of its gain.  A table beside the stage
has these sensitivities, from its bench, with the hash of the circuit that they are of::

    [mismatch]
    circuit = "0123456789abcdef"
    transistors = [
        # subcircuit, name, kind, W in m, L in m, drive in V/V, ln gain in 1/V, a pulse in J/V
        ["charge_sum", "an", "n_vtg", 1e-6, 200e-9, 1.88, 0.01, -1e-13],
    ]

Thresholds are shifted as ``delvto`` of SPICE shifts them, for both kinds of transistors.
"""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from memspice.circuits.library import Library
from memspice.circuits.silicon import evaluated
from memspice.errors import ConfigError, DataError
from memspice.inputs import read_input
from memspice.quantities import Parameters, quantity

#: Largest table of sensitivities, [bytes]; digits of its hash.
LARGEST_FILE, DIGITS = 1 << 20, 16
_INSTANCE = re.compile(r"^X(\w+) .*\b([np]_vt[gh])\b(.*)$", re.MULTILINE)
_SIZE = re.compile(r"\b([wl])=(\S+)")


class Mismatch(Parameters):
    """Spread of the transistors of sense stages."""

    area_spread: float = quantity(
        "V m", "Sigma of a threshold times the root of its gate's area", ge=0, le=1e-6, default=0.0
    )


@dataclass(frozen=True)
class Transistor:
    """A transistor of a stage: where it is, and its gate.

    Parameters
    ----------
    subcircuit, name, kind : str
        Whose it is, its name there without the ``X``, and its own subcircuit: ``n_vtg``.
    width, length : float, [m]
    """

    subcircuit: str
    name: str
    kind: str
    width: float
    length: float

    def spread(self, area_spread: float) -> float:
        """Standard deviation of its threshold [V], of the spread of a unit area [V m]."""
        return area_spread / math.sqrt(self.width * self.length)


def transistors_of(library: Library, subcircuits: Iterable[str]) -> tuple[Transistor, ...]:
    """Transistors of some subcircuits in the order of their text, sizes as the defaults have them.

    Raises
    ------
    NetlistError
        If a size is no arithmetic of numbers and parameters.
    """
    found = []
    for owner in subcircuits:
        texts, where = library.headers[owner].parameters, f"{library.origin}, {owner}"
        sizes = {name: evaluated(text, {}, where) for name, text in texts.items()}
        for name, kind, rest in _INSTANCE.findall(library.definitions[owner]):
            given = {**library.headers[kind].parameters, **dict(_SIZE.findall(rest))}
            width, length = (evaluated(given[key], sizes, f"{where}.{name}") for key in "wl")
            found.append(Transistor(owner, name, kind, width, length))
    return tuple(found)


def with_thresholds(library: Library, shifts: Mapping[tuple[str, str], float]) -> Library:
    """Library with other thresholds: its transistors get a parameter ``shift``.

    Parameters
    ----------
    library : Library
    shifts : mapping of (str, str) to float, [V]
        By subcircuit and name of the transistor; of all others 0.

    Returns
    -------
    Library
        Nothing else of it changes.
    """
    text, kinds = library.text, set()
    for owner in dict.fromkeys(owner for owner, _ in shifts):

        def shifted(line: re.Match[str], owner: str = owner) -> str:
            kinds.add(line[2])
            own = shifts.get((owner, line[1]))
            return line[0] if own is None else f"{line[0]} shift={own:.9g}"

        definition = library.definitions[owner]
        text = text.replace(definition, _INSTANCE.sub(shifted, definition))
    for kind in sorted(kinds):
        definition = library.definitions[kind]
        head, _, body = definition.partition("\n")
        body = body.replace("l={l}\n", "l={l} delvto={shift}\n")
        text = text.replace(definition, f"{head} shift=0\n{body}")
    return Library(library.origin, text, library.cards)


def circuit_hash(library: Library, transistors: Iterable[Transistor]) -> str:
    """Hash of all subcircuits that some transistors are in, and of the transistors' own."""
    names = sorted({name for one in transistors for name in (one.subcircuit, one.kind)})
    text = "".join(library.definitions[name] for name in names)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


@dataclass(frozen=True, eq=False)
class StageMismatch:
    """Sensitivities of a stage to the thresholds of its transistors.

    Parameters
    ----------
    transistors : tuple of Transistor
    sensitivities : ndarray, shape (transistors, 3), [V/V], [1/V], [J/V]
        Change of the drive at equal currents, of the logarithm of the gain, and of the joules of
        a row pulse, per volt of each threshold.
    """

    transistors: tuple[Transistor, ...]
    sensitivities: np.ndarray

    def spreads(self, area_spread: float) -> np.ndarray:
        """Standard deviation of each threshold [V], (transistors,), of that of an area [V m]."""
        return np.array([one.spread(area_spread) for one in self.transistors])

    def thresholds(
        self, shape: tuple[int, ...], area_spread: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw thresholds of stages, (*shape, transistors), [V] off the nominal ones."""
        draws = rng.standard_normal((*shape, len(self.transistors)))
        return np.asarray(draws * self.spreads(area_spread))

    def effect(self, thresholds: np.ndarray) -> np.ndarray:
        """What thresholds (..., transistors) [V] change.

        Returns
        -------
        ndarray, shape (..., 3), [V], [1], [J]
            Added to the drive of the circuit at equal currents; to the logarithm of its gain; to
            the joules of a row pulse.
        """
        return np.asarray(thresholds @ self.sensitivities)

    def spread(self, area_spread: float) -> np.ndarray:
        """Standard deviations of what :meth:`effect` gives, shape (3,)."""
        return np.asarray(np.hypot.reduce(self.spreads(area_spread)[:, None] * self.sensitivities))


def read_mismatch(path: Path, library: Library) -> StageMismatch:
    """Table of sensitivities of a stage.

    Parameters
    ----------
    path : Path
    library : Library
        Of the stage: the circuit that the table must be of.

    Raises
    ------
    DataError
        If it cannot be read, or is of another circuit.
    """
    try:
        table = tomllib.loads(read_input(path, LARGEST_FILE).decode("utf-8"))["mismatch"]
        rows = [_row(row) for row in table["transistors"]]
        circuit = str(table["circuit"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is no table of sensitivities to thresholds: {error}") from error
    transistors = tuple(one for one, _ in rows)
    for one in transistors:
        if not {one.subcircuit, one.kind} <= library.definitions.keys():
            raise DataError(f"{path} has a transistor {one.name} of {one.subcircuit}, which is not "
                            f"in {library.origin}")  # fmt: skip
    if circuit_hash(library, transistors) != circuit:
        raise DataError(
            f"{path} was measured with another text of {library.origin} than it is now: measure "
            "its sensitivities again (python -m benchmarks.burst_mismatch)"
        )
    return StageMismatch(transistors, np.array([values for _, values in rows]))


def _row(row: Any) -> tuple[Transistor, list[float]]:
    (owner, name, kind), (width, length, *values) = map(str, row[:3]), map(float, row[3:])
    if len(values) != 3 or not all(map(np.isfinite, [width, length, *values])) or width <= 0:
        raise ValueError(f"the row of {name} needs W, L and three sensitivities, all finite")
    return Transistor(owner, name, kind, width, length), values


def refuse_gains(stage: str, gain: np.ndarray) -> None:
    """Refuse stages that differ in gain, for a deck that has the same subcircuit for each.

    Parameters
    ----------
    stage : str
        Name for the message.
    gain : ndarray, shape (outputs,), [1]

    Raises
    ------
    ConfigError
        With the gain that is furthest from 1.
    """
    worst = int(np.argmax(np.abs(gain - 1)))
    if gain[worst] != 1:
        raise ConfigError(
            f"the sense stage {stage} of output {worst} has {gain[worst]:.4g} of its gain, and a "
            "deck has the same subcircuit for each output: simulate with neuron.gain_spread = 0 "
            "and mismatch.area_spread = 0, or run the network loop, which knows the gain of each"
        )
