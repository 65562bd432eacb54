"""Points of a question, each kept when it is done, so that a run that was stopped goes on there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Points:
    """A folder with the result of each point, and the run files of those that are not done.

    Parameters
    ----------
    folder : Path
        Removed by `done`.
    resume : bool
        Take what an earlier run of the same settings has left there; else it begins anew.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self._folder = folder
        if not resume:
            self.done()
        folder.mkdir(parents=True, exist_ok=True)

    def run_file(self, name: str) -> Path:
        """Run file of a point, which is resumed batch by batch."""
        return self._folder / f"{name}.h5"

    def measure(
        self, name: str, setting: dict[str, Any], work: Callable[[Path], dict[str, Any]]
    ) -> dict[str, Any]:
        """Result of a point: that of an earlier run with the same setting, or of the work.

        Parameters
        ----------
        name : str
            Of its file.
        setting : dict
            All that decides the result, as JSON.
        work : callable
            Measures it; takes the run file that it may go on with.
        """
        path, run = self._folder / f"{name}.json", self.run_file(name)
        if path.exists():
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if found["setting"] == setting:
                return dict(found["result"])
        result = work(run)
        part = path.with_suffix(".part")
        content = json.dumps({"setting": setting, "result": result}, allow_nan=False)
        part.write_text(content, encoding="utf-8")
        part.replace(path)  # whole, or not there
        run.unlink(missing_ok=True)
        return result

    def done(self) -> None:
        """Remove the folder: the question's result has it all."""
        shutil.rmtree(self._folder, ignore_errors=True)
