"""Which events of a layer switch: a float32 screen, and float64 for what it leaves open.

A device switches when its hazard integral ``H`` reaches ``E = -ln u``, that is when ``u`` is at
least ``exp(-H)``.  ``ln H`` is so nearly linear in the voltage (the edges of the pulse bend it a
little) that a line settles all events but those with ``u`` close to ``exp(-H)``, some in 100,000;
these are decided by the law itself.  So no spike depends on the line or on the precision of the
screen; the drive voltage alone is rounded to float32.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from memspice.circuits.layer import LayerCircuit
from memspice.devices.draws import leading_bits, uniforms
from memspice.errors import ConfigError

#: Voltages at which the line is compared with the law.
_GRID = 2001
#: Rounding of the screen's ``exp(-H)``, [1]: two exponentials of 3 units in the last place and a
#: difference rounded at 32, together below 2e-6 where ``exp(-H)`` is largest, doubled.
_ROUNDING = 4e-6
#: Logarithms of a hazard integral that no draw between 2**-53 and 1 - 2**-53 can tell from less,
#: or from more.
_NEVER, _ALWAYS = -40.0, 5.0
#: Events decided at once, whole frames: what is known of them stays in the cache.
_TOGETHER = 1 << 16
#: ``u`` is screened by its leading 32 bits.
_LOG_UNIT = np.float32(32 * math.log(2))


class Calibration(NamedTuple):
    """What SPICE says of a layer's surrogate: drive voltage and hazard integral.

    ``drive' = drive_gain * drive + drive_offset`` [V] and
    ``ln H' = log_hazard_gain * ln H + log_hazard_offset``; the effective voltage scale is
    ``V0 / log_hazard_gain``.
    """

    drive_gain: float = 1.0
    drive_offset: float = 0.0
    log_hazard_gain: float = 1.0
    log_hazard_offset: float = 0.0


class OpenEvents(NamedTuple):
    """Events that a screen leaves open: where their spikes belong, and what decides them.

    ``fired[frames, events]`` are the spikes, ``line`` (float32) and ``words`` those of the events.
    """

    fired: np.ndarray
    frames: np.ndarray
    events: np.ndarray
    line: np.ndarray
    words: np.ndarray


class SwitchingRule:
    """The hazard law of a layer's neurons as a line in their drive voltage.

    ``slope`` [1/V] and ``intercept`` [1] make the line ``slope * drive + intercept`` of the drive,
    which within ``limits`` (of the line) stands for ``ln H``.

    Parameters
    ----------
    circuit : LayerCircuit
        Device, pulse, limits of the drive.
    calibration : Calibration
        Correction of ``ln H``; that of the drive is the caller's.

    Raises
    ------
    ConfigError
        If the calibrated hazard does not grow with the voltage.
    """

    def __init__(self, circuit: LayerCircuit, calibration: Calibration) -> None:
        if not calibration.log_hazard_gain > 0:
            raise ConfigError(
                f"log_hazard_gain = {calibration.log_hazard_gain:g} must be above 0: a hazard "
                "that does not grow with the voltage makes no neuron; fit the layer again"
            )
        self._circuit, self._calibration = circuit, calibration
        drive = np.linspace(*circuit.write_limits, _GRID)
        law = np.exp(self._log_hazard(drive))
        # Where u decides, d exp(-H) / d ln H = H exp(-H): there the line must be closest.
        weight = law * np.exp(-law) + 1e-6
        self.slope, self.intercept = map(float, np.polyfit(drive, np.log(law), 1, w=weight))
        line = np.exp(np.minimum(self.slope * drive + self.intercept, 50))
        off = float(np.max(np.abs(np.exp(-line) - np.exp(-law))))
        self._open = np.float32((2 * off + _ROUNDING) * 2.0**32)
        low, high = np.clip(self.slope * drive[[0, -1]] + self.intercept, _NEVER, _ALWAYS)
        self.limits = np.float32(low), np.float32(high)

    def _log_hazard(self, drive: np.ndarray) -> np.ndarray:
        """Law in float64: ``ln H`` of a drive [V], bounded by what no draw can tell."""
        circuit, calibration = self._circuit, self._calibration
        integral = circuit.device.hazard.log_hazard_integral(
            drive * circuit.write_fraction, circuit.timing.write, circuit.timing.edge
        )
        calibrated = calibration.log_hazard_gain * integral + calibration.log_hazard_offset
        return np.asarray(np.clip(calibrated, -600, 50))

    def screen(
        self, line: np.ndarray, words: Iterator[np.ndarray], fired: np.ndarray
    ) -> Iterator[OpenEvents]:
        """Decide the events of some frames, all but a few.

        Parameters
        ----------
        line : ndarray of float32, shape (inputs, events)
            ``slope * drive + intercept`` within ``limits``; each input holds for equally many
            successive frames.
        words : iterator of ndarray of uint64, shape (events,)
            Random words of one frame after the other.
        fired : ndarray of bool, shape (frames, events)
            Filled with the spikes.

        Yields
        ------
        OpenEvents
            Events for :meth:`settle`; asking for them is what fills ``fired``.
        """
        repeat = len(fired) // len(line)
        together = max(1, _TOGETHER // line.shape[1])
        inputs = together if repeat == 1 else 1
        for index in range(0, len(line), inputs):
            part = line[index : index + inputs]
            survival = np.exp(part)
            np.subtract(_LOG_UNIT, survival, out=survival)
            np.exp(survival, out=survival)
            frames = fired[index * repeat : (index + inputs) * repeat]
            for start in range(0, len(frames), together):
                yield self._screen(part, survival, words, frames[start : start + together])

    def _screen(
        self,
        line: np.ndarray,
        survival: np.ndarray,
        words: Iterator[np.ndarray],
        fired: np.ndarray,
    ) -> OpenEvents:
        """Frames that have a line each, or one for all."""
        drawn = np.empty(fired.shape, np.float32)
        used = list(islice(words, len(fired)))
        for row, word in zip(drawn, used, strict=True):
            row[:] = leading_bits(word)
        np.greater_equal(drawn, survival, out=fired)
        np.subtract(drawn, survival, out=drawn)
        np.abs(drawn, out=drawn)
        frames, events = np.divmod(np.flatnonzero(drawn < self._open), fired.shape[1])
        pairs = zip(frames.tolist(), events.tolist(), strict=True)
        left = np.fromiter((used[frame][event] for frame, event in pairs), np.uint64, len(frames))
        return OpenEvents(fired, frames, events, line[frames % len(line), events], left)

    def settle(self, left: Sequence[OpenEvents]) -> None:
        """Decide by the law in float64 what screens have left open."""
        line = np.concatenate([item.line for item in left]).astype(float)
        words = np.concatenate([item.words for item in left])
        hazard = np.exp(self._log_hazard((line - self.intercept) / self.slope))
        spikes = hazard >= -np.log(uniforms(words))
        ends = np.cumsum([len(item.words) for item in left])
        for item, part in zip(left, np.split(spikes, ends[:-1]), strict=True):
            item.fired[item.frames, item.events] = part
