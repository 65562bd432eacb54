"""What a block reads its parameters from."""

from __future__ import annotations

from typing import Any, Protocol

from memspice.quantities import ParametersT


class Tables(Protocol):
    """Tables of a parameter file, with what a run changes of them."""

    def has(self, table: str) -> bool:
        """Whether there is a table of this name."""
        ...

    def table(self, table: str, model: type[ParametersT], **extra: Any) -> ParametersT:
        """Values of one table as an instance of its parameter class.

        Parameters
        ----------
        table : str
            Its name.
        model : type
            Parameter class.
        **extra
            Fields that are no values of the table.
        """
        ...
