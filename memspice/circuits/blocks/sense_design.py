"""What a layer asks of its sense stages, and what a parameter set has for it.

A stage of a fixed gain may be its own design.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from memspice.circuits.blocks.neuron import Neuron
from memspice.circuits.blocks.sense import SenseStage

#: Share of an amplifier's swing that the largest possible signal may use.
HEADROOM = 0.9


@dataclass(frozen=True)
class SenseNeeds:
    """Needs of a layer that its sense stages meet.

    Parameters
    ----------
    transimpedance : float, [ohm]
        Drive voltage per difference of the bit-line currents.
    largest_current : float, [A]
        Most that a bit line can carry.
    conductances : tuple of float, [S]
        Least and most that the cells of a bit line have together.
    settle : float, [s]
        Time between the rows' pulse and the write pulse.
    layer, cause : str
        Name of the layer, and what asks for most, for messages.
    spiking : bool
        Whether neurons follow; a last layer has scores instead.
    """

    transimpedance: float
    largest_current: float
    conductances: tuple[float, float]
    settle: float
    layer: str
    cause: str
    spiking: bool = True


class SenseDesign(Protocol):
    """Sense stages as a parameter set has them, before a layer is known."""

    @property
    def swing(self) -> float:
        """Largest output, either sign, [V]: what the scores of a last layer may use."""
        ...

    def bias_voltages(self, neuron: Neuron) -> tuple[float, float]:
        """Least and largest bias voltage that a layer of such neurons can have by itself, [V]."""
        ...

    def usual_burst(self, cycles: int) -> int:
        """Row pulses of a drive where a run of so many cycles does not say."""
        ...

    def for_bursts(self, burst: int) -> SenseDesign:
        """Stages that make a drive of so many row pulses; itself where any will do.

        Raises
        ------
        ConfigError
            If it has none of them.
        """
        ...

    def sized(self, needs: SenseNeeds) -> SenseStage:
        """Stage for a layer.

        Raises
        ------
        ConfigError
            If no stage of this design does what the layer needs.
        """
        ...
