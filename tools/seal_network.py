"""Give network files of an earlier memspice the checksum that `load_network` asks for.

python tools/seal_network.py FILE.h5 ...

Weights stay as they are, to the bit.
"""

from __future__ import annotations

import sys

import h5py

from memspice.network.weights import FORMAT, content_digest, load_network


def main() -> None:
    """Seal the files named on the command line."""
    for name in sys.argv[1:]:
        with h5py.File(name, "r+") as file:
            file.attrs["sha256"] = content_digest(file)
            file.attrs["format"] = FORMAT
        load_network(name)
        sys.stdout.write(f"{name} is sealed\n")


if __name__ == "__main__":
    main()
