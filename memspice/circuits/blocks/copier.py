"""Sense stage with a current copier: sized for a layer by the capacitor that holds its drive.

The stage takes the difference of the line currents through a time ``charge_time`` onto its
capacitor ``ch`` and what switches and neuron add to it, so that its gain is a time over a
capacitance; `models/freepdk45/sense_copier.lib` is the circuit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from memspice.circuits.blocks.sense import SenseDesign, SenseNeeds, SenseStage
from memspice.circuits.blocks.subcircuit import SubcircuitSense, SubcircuitStage
from memspice.circuits.sense_bench import ClockedStage
from memspice.circuits.sense_surface import SenseSurface
from memspice.circuits.surface_axes import DifferenceAxes
from memspice.errors import ConfigError
from memspice.quantities import Parameters, quantity

#: Parameter of the subcircuit that sets the gain.
_CAPACITOR = "ch"


class CopierGain(Parameters):
    """What the gain of the stage follows, and what its currents may be."""

    charge_time: float = quantity("s", "Time in which the difference is integrated", gt=0)
    own_capacitance: float = quantity("F", "Of switches and neuron at the drive", gt=0)
    least_capacitor: float = quantity("F", "Smallest capacitor", gt=0)
    largest_capacitor: float = quantity("F", "Largest capacitor", gt=0)
    half_swing: float = quantity("V", "Change of the drive at which it bends", gt=0)
    reach: float = quantity("1", "Half swings up to which its surface goes", gt=0)
    least_current: float = quantity("A", "Least current of a line", ge=0)
    least_mean: float = quantity("A", "Least mean current of two lines", gt=0)
    largest_mean: float = quantity("A", "Largest mean current of two lines", gt=0)
    largest_difference: float = quantity("A", "Largest difference that is measured", gt=0)

    def gain(self, capacitor: float) -> float:
        """Drive per difference of line currents with a capacitor [F], [ohm]."""
        return self.charge_time / (capacitor + self.own_capacitance)

    def capacitor(self, gain: float) -> float:
        """Capacitor [F] of a gain [ohm], within what there is."""
        asked = self.charge_time / gain - self.own_capacitance
        return float(np.clip(asked, self.least_capacitor, self.largest_capacitor))

    def axes(self, gain: float, nodes: tuple[int, int]) -> DifferenceAxes:
        """Coordinates of the surface of a stage of some gain [ohm]."""
        knee = self.half_swing / gain
        reach = min(self.reach * knee, self.largest_difference)
        limits = (self.least_mean, self.largest_mean)
        return DifferenceAxes(limits, nodes, knee, reach, self.least_current)


@dataclass(frozen=True, eq=False)
class CopierSense:
    """Stages of a parameter set: one subcircuit, another capacitor for each layer.

    Parameters
    ----------
    stage : ClockedStage
        With any capacitor.
    scale : CopierGain
    rest : float, [V]
        Drive at equal currents, about.
    scores : SenseDesign
        Stages of a last layer, whose lines carry from next to nothing to several uA: at 0.2 uA this
        stage remembers 2 to 3 mV of the cycle before.
    nodes : tuple of int
        Of surfaces: along the mean current and along the difference.
    """

    stage: ClockedStage
    scale: CopierGain
    rest: float
    scores: SenseDesign
    nodes: tuple[int, int]

    @property
    def swing(self) -> float:
        """That of a last layer's stages, [V]."""
        return self.scores.swing

    def sized(self, needs: SenseNeeds) -> SenseStage:
        """Largest gain that is needed with rows as they are; stronger rows for what is missing.

        Raises
        ------
        ConfigError
            If not even the largest capacitor makes the gain small enough for rows that carry no
            more than half of their voltage.
        """
        if not needs.spiking:
            return self.scores.sized(needs)
        capacitor = self.scale.capacitor(needs.transimpedance)
        gain = self.scale.gain(capacitor)
        if needs.transimpedance < gain / 2:
            raise ConfigError(
                f"layer {needs.layer} asks its sense stages for {needs.transimpedance:.3g} ohm; "
                f"{self.stage.subcircuit} gives {gain:.3g} ohm at least, with "
                f"{capacitor:.3g} F: use tiles of fewer rows, or a larger capacitor"
            )
        own = replace(self.stage, parameters={**self.stage.parameters, _CAPACITOR: capacitor})
        design = SubcircuitSense(
            own, gain, self.rest, self.swing, self.scale.axes(gain, self.nodes)
        )
        return CopierStage(design, needs.transimpedance / gain)


class CopierStage(SubcircuitStage):
    """Stage of a layer; what it rests at is measured with its surface."""

    @property
    def fine(self) -> bool:
        """17 fF hold the drive: a hundredth of a fC is 0.6 mV."""
        return True

    def with_surface(self, surface: SenseSurface) -> CopierStage:
        """The same stage, measured; it rests at its drive of equal currents, mid-range."""
        middle = np.full(2, sum(surface.axes.limits) / 2)
        lines = np.full(2, sum(surface.conductances) / 2)
        rest = float(surface.drive_voltage(middle, lines))
        return replace(self, design=replace(self.design, rest=rest), surface=surface)
