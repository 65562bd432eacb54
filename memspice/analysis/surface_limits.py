"""How far a sense stage may be from its surface, in words of the hazard law."""

from __future__ import annotations

from memspice.circuits.sense_surface import SurfaceError
from memspice.errors import ConfigError

#: Error of ln H that a surface may have: the margin within which events may differ.
MOST_ERROR = 0.01


def refuse_rough(stage: str, error: SurfaceError, voltage_scale: float) -> None:
    """Refuse a surface that is off by more than events may be, where it was not made from.

    At its worst with pulses alike, which is an error of the surface and the same in every burst; by
    the root of the mean square with pulses that differ, which is another in every burst.

    Parameters
    ----------
    stage : str
        For the message.
    error : SurfaceError
    voltage_scale : float, [V]
        ``V0`` of the hazard law, as seen at the drive.

    Raises
    ------
    ConfigError
        With the number.
    """
    limit = MOST_ERROR * abs(voltage_scale)
    allowed = f"{limit * 1e3:.3g} mV are allowed ({MOST_ERROR:.0%} in the hazard)"
    if error.drive_worst > limit:
        raise ConfigError(
            f"the surface of the sense stage {stage} is off by up to "
            f"{error.drive_worst * 1e3:.3g} mV at {error.points} points that it was not made from, "
            f"and {allowed}: raise sense.nodes, narrow sense.currents, or make the conductances of "
            "its lines more alike"
        )
    if error.unlike_rms > limit:
        raise ConfigError(
            f"row pulses of a burst that differ move the drive of the sense stage {stage} by "
            f"{error.unlike_rms * 1e3:.3g} mV rms from what their mean makes, and {allowed}: let "
            "no charge depend on the sum so far, or narrow sense.currents"
        )


def refuse_sag(stage: str, sag: float, voltage_scale: float) -> None:
    """Refuse a drive that is not the same, half of it either way, in all writes of a burst.

    Arguments and errors as of `refuse_rough`; ``sag`` [V] is the difference.
    """
    limit = 2 * MOST_ERROR * abs(voltage_scale)
    if sag > limit:
        raise ConfigError(
            f"the drive that the sense stage {stage} holds differs by {sag * 1e3:.3g} mV from "
            f"write to write, and {limit * 1e3:.3g} mV are allowed: hold it on more charge"
        )
