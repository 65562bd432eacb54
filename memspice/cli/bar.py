"""Progress bars: tqdm as it comes.

Its settings in the environment are read when it is imported, and one that it cannot read ends the
program; ``TQDM_DISABLE`` alone is kept, which any value turns on.
"""

from __future__ import annotations

import os
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
    return tqdm(**{"delay": 2.0, "leave": False, "disable": disable, **settings})
