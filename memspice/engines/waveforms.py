"""What an engine returns: signals by name over the solver's own time points."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memspice.errors import EngineError

GROUND_NAMES = frozenset({"0", "gnd"})


def canonical_name(name: str) -> str:
    """One spelling for each signal, whatever the engine or the caller writes.

    ``out``, ``V(OUT)`` -> ``v(out)``; ``V1#branch``, ``I(V1)`` -> ``i(v1)``;
    ``i(@R1[i])``, ``@R1[i]`` -> ``@r1[i]``; ``time`` stays ``time``.

    Parameters
    ----------
    name : str
        A node, ``v(node)``, ``i(source)``, ``source#branch`` or ``@device[parameter]``.

    Returns
    -------
    str

    Examples
    --------
    >>> canonical_name("V1#branch")
    'i(v1)'
    """
    text = re.sub(r"\s+", "", name.lower())
    device = re.fullmatch(r"[vi]?\(?(@[^()]+)\)?", text)
    if device:
        return device[1]
    if text.endswith("#branch"):
        return f"i({text.removesuffix('#branch')})"
    return text if text == "time" or re.fullmatch(r"[vi]\(.+\)", text) else f"v({text})"


@dataclass(frozen=True, eq=False)
class Waveforms:
    """The signals of one run.

    Parameters
    ----------
    time : ndarray, shape (points,), [s]
        The solver's own accepted time points, not resampled; [0.0] for an operating point.
    signals : mapping of str to ndarray, shape (points,)
        Node voltages ``v(node)`` [V], branch currents ``i(source)`` [A] and device values
        ``@device[parameter]``, all lower case. Inside a sub-circuit instance ``x1`` they are
        ``v(x1.node)``, ``i(v.x1.vname)`` and ``@r.x1.rname[i]``.
    log : str
        What the engine wrote.
    wall_seconds : float, [s]
        How long the engine ran.
    """

    time: NDArray[np.float64]
    signals: Mapping[str, NDArray[np.float64]]
    log: str
    wall_seconds: float

    def after(self, instant: float) -> Waveforms:
        """What came after an instant, which is the begin of its time: a warm-up left out.

        Parameters
        ----------
        instant : float, [s]
            From 0 to the end of the run; signals are straight between their points.

        Returns
        -------
        Waveforms
            The same ones, where the instant is 0.
        """
        if instant == 0:
            return self
        later = self.time > instant
        signals = {
            name: np.append(np.interp(instant, self.time, values), values[later])
            for name, values in self.signals.items()
        }
        time = np.append(0.0, self.time[later] - instant)
        return Waveforms(time, signals, self.log, self.wall_seconds)

    def voltage(self, node: str) -> NDArray[np.float64]:
        """Voltage of a node against ground.

        Parameters
        ----------
        node : str
            Name in any case, without ``v()``; ``"0"`` is ground.

        Returns
        -------
        ndarray, shape (points,), [V]

        Raises
        ------
        EngineError
            If that node was not saved; the message names the nearest that were.
        """
        if node.strip().lower() in GROUND_NAMES:
            return np.zeros_like(self.time)
        return self.signal(f"v({node})")

    def current(self, source: str) -> NDArray[np.float64]:
        """Branch current of a voltage source (or inductor, or voltage-type B source).

        SPICE's sign: positive when it flows into the ``+`` terminal, through the source, and
        out of ``-``. A battery that feeds a load has a *negative* current, and the power it
        delivers is ``-voltage * current``. An ammeter (0 V source) reads positive from its
        first node to its second.

        Parameters
        ----------
        source : str
            Name in any case, as in the netlist: ``"V1"``, or ``"v.x1.vname"`` for the source
            ``vname`` inside the sub-circuit instance ``x1``.

        Returns
        -------
        ndarray, shape (points,), [A]

        Raises
        ------
        EngineError
            If that current was not saved; the message names the nearest that were.
        """
        return self.signal(f"i({source})")

    def signal(self, name: str) -> NDArray[np.float64]:
        """Any saved signal, for instance ``@r1[p]`` (power of R1, [W]).

        Parameters
        ----------
        name : str
            In any spelling that `canonical_name` knows.

        Returns
        -------
        ndarray, shape (points,)

        Raises
        ------
        EngineError
            If it was not saved; the message names the nearest that were.
        """
        key = canonical_name(name)
        try:
            return self.signals[key]
        except KeyError:
            near = difflib.get_close_matches(key, self.signals, n=5, cutoff=0.4)
            nearest = ", ".join(near) if near else "none is alike"
            raise EngineError(
                f"the waveforms hold no {key!r} among their {len(self.signals)} signals "
                f"(nearest: {nearest}); correct the name or add it to save="
            ) from None
