"""How a run is carried out, where it is stored, and who is told: the same for every run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from memspice.errors import ConfigError
from memspice.jobs import Execution
from memspice.store import Provenance, RunWriter, open_store
from memspice.windows.progress import Progress


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of a run: how it is carried out, where stored, who is told; they change no number.

    Parameters
    ----------
    execution : Execution
        How many decks, or batches of images, at a time, and where.
    out : Path or str, optional
        HDF5 file of the run; nothing is stored without.
    resume : bool
        Go on with the run in ``out`` instead of starting anew.
    command : str
        Command line, for the provenance.
    notes : tuple of str
        What a reader must know besides, kept in the result.
    progress : Progress, optional
        Is told how far it is.

    Raises
    ------
    ConfigError
        If there is nothing to resume from.
    """

    execution: Execution = Execution()
    out: Path | str | None = None
    resume: bool = False
    command: str = ""
    notes: tuple[str, ...] = ()
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if self.resume and self.out is None:
            raise ConfigError("resume needs out (--out FILE): the run to go on with")

    @contextmanager
    def store(self, provenance: Provenance) -> Iterator[RunWriter | None]:
        """Yield what writes the run file, if there is to be one.

        Parameters
        ----------
        provenance : Provenance
            How the run is made.

        Raises
        ------
        StoreError
            If it cannot be written, or is that of another run.
        """
        out = None if self.out is None else Path(self.out)
        with open_store(out, provenance, resume=self.resume) as writer:
            yield writer
