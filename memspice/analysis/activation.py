"""The activation that a network trains with, fitted to simulated hazard integrals."""

from __future__ import annotations

import numpy as np

from memspice.analysis.transfer import Characterization
from memspice.devices.activation import Activation
from memspice.errors import DataError
from memspice.quantities import units


def fit_activation(result: Characterization) -> Activation:
    """Fit ``ln H`` of the sweep, as SPICE integrated it, by a line in the drive.

    A point counts as ``dP / d ln H = H exp(-H)``: where the probability depends on the hazard
    integral, there the line must be closest.  No parameter of the hazard law enters.

    Parameters
    ----------
    result : Characterization
        Simulated neurons.

    Raises
    ------
    DataError
        If a simulated hazard integral is not above 0, or they do not grow with the drive.
    """
    drive = np.array([point.voltage for point in result.sweep])
    hazard = np.array([point.hazard_spice for point in result.sweep])
    if not (hazard[0] > 0 and (np.diff(hazard) > 0).all()):
        raise DataError(
            f"{result.parameter_set.name}: the simulated hazard integrals of {drive[0]:.4g} to "
            f"{drive[-1]:.4g} V do not grow from above 0: look at the points with "
            "memspice characterize --out, and at the engine's tolerances"
        )
    slope, intercept = np.polyfit(drive, np.log(hazard), 1, w=hazard * np.exp(-hazard))
    error = np.abs(np.exp(-np.exp(slope * drive + intercept)) - np.exp(-hazard))
    return Activation(
        unit_drive=float(-intercept / slope),
        drive_scale=float(1 / slope),
        lowest_drive=float(drive[0]),
        highest_drive=float(drive[-1]),
        error=float(error.max()),
    )


def activation_text(result: Characterization) -> str:
    """Fitted activation as TOML, each value with unit, label and source as in every other set."""
    activation, engine, name = fit_activation(result), result.engine, result.parameter_set.name
    points = len(result.sweep)
    source = (
        f"fit to hazard integrals of {engine.name} {engine.version}: {points} drives, "
        f"{sum(point.spikes.n for point in result.sweep)} write pulses, seed {result.seed}"
    )
    lines = [
        f"# Activation of the neurons of {name}, simulated and fitted by",
        f"#     memspice characterize --device {name} --fit FILE",
        "# as training uses it: ln H = (drive - unit_drive) / drive_scale.",
        "",
        "[activation]",
    ]
    for field, unit in units(activation).items():
        value = f"{getattr(activation, field):.6g}"
        lines.append(
            f'{field} = {{ value = {value}, unit = "{unit}", label = "D", source = "{source}" }}'
        )
    return "\n".join(lines) + "\n"
