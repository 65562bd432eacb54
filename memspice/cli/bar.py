"""Progress bars: tqdm as it comes.

Its settings in the environment are read when it is imported, and one that it cannot read ends the
program; ``TQDM_DISABLE`` alone is kept, which any value turns on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_SET = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("TQDM_")}
if "TQDM_DISABLE" in _SET:
    os.environ["TQDM_DISABLE"] = _SET["TQDM_DISABLE"]
try:
    from tqdm import tqdm
finally:
    os.environ.update(_SET)


def progress_bar(**settings: Any) -> Any:
    """Bar on standard error, where that is a terminal; of what is over at once there is none.

    Parameters
    ----------
    **settings
        As tqdm takes them.
    """
    disable = "TQDM_DISABLE" in os.environ or None  # None: where it is no terminal
    return tqdm(**{"delay": 0.5, "leave": False, "disable": disable, **settings})


@contextmanager
def shown_progress(**settings: Any) -> Iterator[Callable[[str, int, int], None]]:
    """`memspice.Progress` on a bar that names the stage, and starts anew with each.

    Parameters
    ----------
    **settings
        As `progress_bar` takes them.
    """
    with progress_bar(**settings) as bar:

        def show(stage: str, done: int, total: int) -> None:
            if bar.disable:  # as by TQDM_DISABLE; it then lacks most of what a bar has
                return
            if stage != bar.desc.removesuffix(": "):
                # Not bar.reset(): that draws at once, and a short stage needs no bar.
                bar.n = bar.last_print_n = 0
                bar.start_t = bar.last_print_t = time.time()
                bar.set_description(stage, refresh=False)
            bar.total = total
            bar.update(done - bar.n)

        yield show
