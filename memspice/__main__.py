"""``python -m memspice``: the command line where the script ``memspice`` is not on the PATH."""

from __future__ import annotations

from memspice.cli import main

if __name__ == "__main__":
    main()
