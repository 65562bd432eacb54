"""What all results have in common: a table to read, an object for JSON, a frame for pandas."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from memspice.errors import ConfigError
from memspice.experiment.results.table import Table


class Shown(ABC):
    """Value that shows itself as a table: as text where it is printed, as HTML in a notebook."""

    @abstractmethod
    def table(self) -> Table:
        """What it reads as, in at most 20 lines of 80 columns."""

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


class Result(Shown):
    """Result of a run, in SI units; frozen, and never equal to another but itself."""

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Object that ``--json`` prints: plain values, SI units."""

    @abstractmethod
    def columns(self) -> Mapping[str, Any]:
        """Columns of `to_dataframe`, all of one length."""

    def to_dataframe(self) -> Any:
        """Rows of the result as a ``pandas.DataFrame``; pandas is an extra of its own.

        Raises
        ------
        ConfigError
            If pandas is not installed.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ModuleNotFoundError as error:
            if error.name != "pandas":
                raise
            raise ConfigError(
                "to_dataframe needs pandas: install the extra with pip install 'memspice[pandas]', "
                "or take the arrays of .columns()"
            ) from error
        return pandas.DataFrame(dict(self.columns()))
