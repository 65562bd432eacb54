"""Activation of a neuron circuit, as SPICE simulates it."""

from __future__ import annotations

from memspice.quantities import Parameters, quantity


class Activation(Parameters):
    """Switching probability against drive: ``P = 1 - exp(-H)``, ``ln H`` a line in the drive.

    The line is fitted to hazard integrals that SPICE integrated over whole write pulses, driver
    and edges included: ``ln H = (drive - unit_drive) / drive_scale``.  It holds between
    ``lowest_drive`` and ``highest_drive``.
    """

    unit_drive: float = quantity("V", "Drive at which H = 1, P = 63 %")
    drive_scale: float = quantity("V", "Drive that raises H e times", gt=0)
    lowest_drive: float = quantity("V", "Lowest simulated drive of the fit")
    highest_drive: float = quantity("V", "Highest simulated drive of the fit")
    error: float = quantity("1", "Largest difference in P between line and SPICE", ge=0)
