"""Progress bars: tqdm as it comes.

Its settings in the environment are read when it is imported, and one that it cannot read ends the
program; ``TQDM_DISABLE`` alone is kept, which any value turns on.
"""

from __future__ import annotations

import os

_SET = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("TQDM_")}
if "TQDM_DISABLE" in _SET:
    os.environ["TQDM_DISABLE"] = _SET["TQDM_DISABLE"]
try:
    from tqdm import tqdm as tqdm
finally:
    os.environ.update(_SET)
