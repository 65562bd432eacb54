"""An engine that tells the truth first, as the real one did, and then lies about it.

Started in place of ngspice or VACASK, with nothing but Python's own library: it must be quick.  The
real engine's answer to each deck is kept in a folder under the deck's hash, and replayed.

    fake_engine.py KIND REAL KEPT ARGUMENTS...

The lie has its name in the environment: ``FAKE_LIE``.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.answers import FILES, Run
from tests.faults.lies import HARMLESS, LIES, NEURON_LIES


def answer(kind: str, real: str, kept: Path, arguments: list[str]) -> int:
    """Answer as the real engine does, from memory where it was asked before; its exit status."""
    name = next((word for word in arguments if Path(word).is_file()), None)
    text = Path(name).read_bytes() if name else b""
    key = hashlib.sha256(repr(arguments).encode() + text).hexdigest()
    path = kept / f"{kind}-{key}"
    if not path.exists():
        before = set(os.listdir())
        done = subprocess.run([real, *arguments], capture_output=True, check=False)
        made = {file: Path(file).read_bytes() for file in os.listdir() if file not in before}
        part = path.with_suffix(f".{os.getpid()}")
        part.write_bytes(pickle.dumps((done.returncode, made, done.stdout, done.stderr)))
        part.replace(path)
    code, files, out, err = pickle.loads(path.read_bytes())  # noqa: S301 - written above
    for file, content in files.items():
        Path(file).write_bytes(content)
    sys.stdout.buffer.write(out)
    sys.stderr.buffer.write(err)
    sys.stdout.flush()
    lie = os.environ.get("FAKE_LIE", "")
    if lie and name == FILES[kind][0]:  # a probe is answered truly
        run = Run(kind, kept, key)
        run.status = code
        {**LIES, **NEURON_LIES, **{n: h[0] for n, h in HARMLESS.items()}}[lie](run)
        return run.status
    return int(code)


if __name__ == "__main__":
    engine, program, memory, *words = sys.argv[1:]
    sys.exit(answer(engine, program, Path(memory), words))
