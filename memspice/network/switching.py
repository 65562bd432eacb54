"""Which events of a layer switch: a screen of integers, and float64 for what it leaves open.

A device switches when its hazard integral ``H`` reaches ``E = -ln u``, that is when ``u`` is at
least ``exp(-H)``: when the 32-bit integer behind ``u`` reaches ``2**32 exp(-H)``.  ``ln H`` is so
nearly linear in the voltage (the edges of the pulse bend it a little) that a line in float32 gives
this bound well enough for all events but those with ``u`` close to it, some in 100,000; these are
decided by the law itself.  So no spike depends on the line or on the precision of the screen; the
drive voltage alone is rounded to float32.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from memspice.circuits.layer import LayerCircuit
from memspice.devices.draws import uniforms
from memspice.devices.variation import NeuronVariation, join_variations
from memspice.errors import ConfigError

#: Voltages at which the line is compared with the law.
_GRID = 2001
#: Rounding of the screen's ``exp(-H)``, [1]: two exponentials of 3 units in the last place and a
#: difference rounded at 22, together below 2e-6 where ``exp(-H)`` is largest, doubled.
_ROUNDING = 4e-6
#: Logarithms of a hazard integral that no draw between 2**-33 and 1 - 2**-33 can tell from less,
#: or from more, with room for the distance of law and line.
_NEVER, _ALWAYS = -40.0, 5.0
#: Events whose least draws are computed at once, whole frames: they stay in the cache.
_TOGETHER = 1 << 15
#: A draw is 32 bits.
_LOG_UNIT = np.float32(32 * math.log(2))


class Calibration(NamedTuple):
    """Corrections of a layer's surrogate by SPICE: of drive voltage and hazard integral.

    ``drive' = drive_gain * drive + drive_offset`` [V] and
    ``ln H' = log_hazard_gain * ln H + log_hazard_offset``; the effective voltage scale is
    ``V0 / log_hazard_gain``.
    """

    drive_gain: float = 1.0
    drive_offset: float = 0.0
    log_hazard_gain: float = 1.0
    log_hazard_offset: float = 0.0


@dataclass(frozen=True, eq=False)
class OpenEvents:
    """Events of a frame that a screen leaves open: where their spikes belong, what decides them.

    ``fired[events]`` are the spikes, ``line`` (float32) and ``draws`` (uint32) those of the events.
    """

    fired: np.ndarray
    events: np.ndarray
    line: np.ndarray
    draws: np.ndarray


class SwitchingRule:
    """The hazard law of a layer's neurons as a line in their drive voltage.

    ``slope`` [1/V] and ``intercept`` [1] make the line ``slope * drive + intercept`` of the drive,
    which within ``limits`` (of the line) stands for ``ln H``: arrays of shape (outputs,) where
    neurons differ, (1,) where they are alike.

    Parameters
    ----------
    circuits : sequence of LayerCircuit
        Column groups of the layer: devices, pulse, limits of the drive.
    calibration : Calibration
        Correction of ``ln H``; that of the drive is the caller's.

    Raises
    ------
    ConfigError
        If the calibrated hazard does not grow with the voltage.
    """

    def __init__(self, circuits: Sequence[LayerCircuit], calibration: Calibration) -> None:
        if not calibration.log_hazard_gain > 0:
            raise ConfigError(
                f"log_hazard_gain = {calibration.log_hazard_gain:g} must be above 0: a hazard "
                "that does not grow with the voltage makes no neuron; fit the layer again"
            )
        # The law needs no crossbar, and a rule must be small: it is sent to other machines.
        self._circuit = replace(circuits[0], conductances=())
        self._calibration = calibration
        self._variation = join_variations([circuit.variation for circuit in circuits])
        drive = np.linspace(*self._circuit.write_limits, _GRID)[:, None]
        law = np.exp(self._log_hazard(drive, self._variation))
        # Where u decides, d exp(-H) / d ln H = H exp(-H): there the line must be closest.
        weight = law * np.exp(-law) + 1e-6
        fits = [
            np.polyfit(drive[:, 0], np.log(own), 1, w=near)
            for own, near in zip(law.T, weight.T, strict=True)
        ]
        self.slope, self.intercept = np.transpose(fits)
        line = np.exp(np.minimum(self.slope * drive + self.intercept, 50))
        off = float(np.max(np.abs(np.exp(-line) - np.exp(-law))))
        self._open = math.ceil((2 * off + _ROUNDING) * 2.0**32)
        ends = np.clip(self.slope * drive[[0, -1]] + self.intercept, _NEVER, _ALWAYS)
        low, high = ends.astype(np.float32)
        self.limits = low, high

    def _log_hazard(self, drive: np.ndarray, variation: NeuronVariation | None) -> np.ndarray:
        """Law in float64: ``ln H`` of a drive [V], bounded by what no draw can tell."""
        calibration = self._calibration
        integral = replace(self._circuit, variation=variation).log_hazard(drive)
        calibrated = calibration.log_hazard_gain * integral + calibration.log_hazard_offset
        return np.asarray(np.clip(calibrated, -600, 50))

    def screen(
        self, line: np.ndarray, draws: Iterator[np.ndarray], fired: np.ndarray
    ) -> Iterator[OpenEvents]:
        """Decide the events of some frames, all but a few.

        Parameters
        ----------
        line : ndarray of float32, shape (inputs, events)
            ``slope * drive + intercept`` within ``limits``; each input holds for equally many
            successive frames.
        draws : iterator of ndarray of uint32, shape (events,)
            Of one frame after the other.
        fired : ndarray of bool, shape (frames, events)
            Filled with the spikes.

        Yields
        ------
        OpenEvents
            Events for :meth:`settle`; asking for them is what fills ``fired``.
        """
        frames, repeat = iter(fired), len(fired) // len(line)
        together = max(1, _TOGETHER // line.shape[1])
        for start in range(0, len(line), together):
            part = line[start : start + together]
            for own, least in zip(part, self._least(part), strict=True):
                for spikes in islice(frames, repeat):
                    drawn = next(draws)
                    np.greater_equal(drawn, least, out=spikes)
                    # Modulo 2**32: what is below is far above, or open needlessly.
                    above = np.subtract(drawn, least, out=drawn)
                    (events,) = np.nonzero(above < 2 * self._open)
                    if len(events):
                        left = above[events] + least[events]
                        yield OpenEvents(spikes, events, own[events], left)

    def _least(self, line: np.ndarray) -> np.ndarray:
        """Least draw that may switch, uint32: half the width of what is open below the bound."""
        bound = np.exp(line)
        np.subtract(_LOG_UNIT, bound, out=bound)
        np.exp(bound, out=bound)
        np.subtract(bound, self._open, out=bound)
        return np.asarray(np.maximum(bound, 0, out=bound).astype(np.uint32))

    def settle(self, left: Sequence[OpenEvents]) -> None:
        """Decide by the law in float64 what screens have left open."""
        if not left:
            return
        line = np.concatenate([item.line for item in left]).astype(float)
        draws = np.concatenate([item.draws for item in left])
        # Event by event: neurons follow each other at every position.
        neurons = np.concatenate([item.events for item in left]) % len(self.slope)
        drive = (line - self.intercept[neurons]) / self.slope[neurons]
        variation = self._variation and self._variation.take(neurons)
        hazard = np.exp(self._log_hazard(drive, variation))
        spikes = hazard >= -np.log(uniforms(draws))
        ends = np.cumsum([len(item.draws) for item in left])
        for item, part in zip(left, np.split(spikes, ends[:-1]), strict=True):
            item.fired[item.events] = part
