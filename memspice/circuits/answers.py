"""What makes an answer of the drives of the last layer: converters, or latches that compare them.

The class with the highest score is all that is asked for.  A converter makes a number of every
drive, and numbers of several bursts can be added.  Latches compare the drives themselves, every
pair of them at once: the class that wins all its comparisons is the answer.  Then nothing is
converted, but drives must have been integrated in one piece: one burst is an answer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal

from memspice.errors import ConfigError
from memspice.quantities import Parameters, quantity


class AnswerStage(Parameters, ABC):
    """Circuits behind the last layer; ``[answer]`` of a parameter set has their values."""

    score_range: float = quantity(
        "1",
        "Largest score for which drives have room, of the largest that the weights allow",
        gt=0,
        le=1,
        default=1.0,
    )

    @abstractmethod
    def conversions(self, outputs: int) -> int:
        """Conversions for an answer among so many outputs."""

    @abstractmethod
    def comparison_energy(self, outputs: int) -> float:
        """Energy of the comparisons for an answer among so many outputs, [J]."""

    @abstractmethod
    def check(self, answers: int) -> None:
        """Refuse a run whose answer is made of so many drives of each class.

        Raises
        ------
        ConfigError
            With what to change.
        """


class ScoreConverter(AnswerStage):
    """A converter, counted and not simulated; numbers are compared for nothing."""

    kind: Literal["converter"] = "converter"

    def conversions(self, outputs: int) -> int:
        """One of each output."""
        return outputs

    def comparison_energy(self, outputs: int) -> float:
        """Nothing."""
        del outputs
        return 0.0

    def check(self, answers: int) -> None:
        """Take any number."""


class PairLatches(AnswerStage):
    """A StrongARM latch with the buffer of its clock for every pair of outputs.

    By default that of ``models/freepdk45/latch.lib``: 45 of them on ten drives of stages of bursts,
    the highest at 0.75 V, take 30.7 fJ a comparison in ngspice and VACASK and tell 1 mV; where the
    highest is at 0.43 V, that of a score of 0, 48.8 fJ (`benchmarks/answer.py`).  The gates that
    see which class has won all comparisons are not counted.
    """

    kind: Literal["latches"] = "latches"
    comparison: float = quantity("J", "Comparison of two drives", ge=0, default=30.7e-15)

    def conversions(self, outputs: int) -> int:
        """None."""
        del outputs
        return 0

    def comparison_energy(self, outputs: int) -> float:
        """One comparison for each pair."""
        return self.comparison * outputs * (outputs - 1) / 2

    def check(self, answers: int) -> None:
        """Take one: drives of several bursts would have to be added first."""
        if answers > 1:
            raise ConfigError(
                f"answer.kind = latches compares the drives of one burst, and {answers} would have "
                "to be added: use as many cycles as a burst has, or answer.kind=converter"
            )


#: By the word of ``answer.kind``; the first is what a set without one has.
ANSWERS: Mapping[str, type[AnswerStage]] = {"converter": ScoreConverter, "latches": PairLatches}
