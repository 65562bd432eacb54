"""Whether row drivers have the levels that rows behind pools carry."""

from __future__ import annotations

from collections.abc import Iterable

from memspice.errors import ConfigError
from memspice.network.architecture import WeightStep
from memspice.parameters import ParameterSet


def check_levels(steps: Iterable[WeightStep], parameter_set: ParameterSet) -> None:
    """Refuse rows behind pools with levels that row drivers do not have.

    Pixels are coded in pulses behind their pools, and have any number of levels.

    Raises
    ------
    ConfigError
        With the levels, and what to change.
    """
    most = parameter_set.array.row_driver.steps
    for step in steps:
        for source in step.sources:
            if most and source.number and most % source.steps:
                raise ConfigError(
                    f"layer {step.name} has rows of {source.steps + 1} levels behind mean pools, "
                    f"and its row drivers have {most + 1}: use pools of rule 'any', of size 2, or "
                    "row drivers that a converter drives (row_driver.kind=buffered)"
                )
