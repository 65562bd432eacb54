"""No property of a shell, a locale or a library's settings costs a run its result or report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from memspice.jobs import Entry, JobCache
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path
from tests.cli_helpers import SURROGATE, call

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[2]
PRINTS = (*SURROGATE, "--json")
#: What Jupyter, a notebook of Windows and a user with a taste for TeX leave behind.
MATPLOTLIBRC = b"text.usetex: True\nbackend: qtagg\nfigure.figsize: 90, 90\n\xff\xfe nonsense\n"


def run(
    folder: Path, *arguments: object, shell: str = "", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a shell in a folder does, without what this test run has set itself."""
    own = {k: v for k, v in os.environ.items() if k not in ("MPLBACKEND", "TQDM_DISABLE")}
    command = [sys.executable, "-m", "memspice", *map(os.fsencode, map(str, arguments))]
    if shell:
        command = ["sh", "-c", shell, *command]
    return subprocess.run(
        command,
        cwd=folder,
        env={**own, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        check=False,
    )


def test_result_is_printed_and_drawn_in_a_hostile_shell(tmp_path: Path) -> None:
    """A western code page, a backend that is not there, settings of matplotlib that break it."""
    folder = tmp_path / os.fsdecode(b"measurements-\xe7\xbd\x91-\xff")
    folder.mkdir()
    (folder / "matplotlibrc").write_bytes(MATPLOTLIBRC)
    western = {
        "PYTHONIOENCODING": "cp1252",
        "MPLBACKEND": "module://matplotlib_inline.no_such_backend",
        "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2",
        "COLUMNS": "10",
        "HDF5_DRIVER": "split",
        "TQDM_MININTERVAL": "often",
        "HDF5_USE_FILE_LOCKING": "TRUE",
    }
    out = folder / "run.h5"
    ended = run(folder, *SURROGATE, "--out", out, **western)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"measurements-\\u7f51-\\udcff" in ended.stdout
    plain = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    listed = run(folder, "waves", "ls", out, "--json", **plain)
    job = json.loads(listed.stdout)["jobs"][0]["name"]
    drawn = run(folder, "waves", "plot", out, job, "--out", folder / "a.png", **western)
    assert drawn.stderr.startswith(b"memspice: ")  # a surrogate has no waveform
    assert b"Traceback" not in drawn.stderr


@pytest.mark.parametrize("redirection", [">&-", "> /dev/full", "<&- >&- 2>&-"])
def test_output_that_cannot_be_written_is_exit_code_5(tmp_path: Path, redirection: str) -> None:
    out = tmp_path / "run.h5"
    ended = run(tmp_path, *PRINTS, "--out", out, shell=f'"$0" "$@" {redirection}')
    assert ended.returncode == 5
    if "2>" not in redirection:
        assert b"could not be written to standard output" in ended.stderr
        assert f"it is in {out}".encode() in ended.stderr
    assert out.stat().st_size > 1000


def test_matplotlib_comes_as_it_is(tmp_path: Path) -> None:
    """Settings in the current folder, or a folder that is gone, change nothing of a figure."""
    code = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from memspice.plot.style import new_figure, own_style, save
os.chdir(sys.argv[1])
if sys.argv[2] == "gone":
    os.rmdir(sys.argv[1])
with own_style():
    figure = new_figure(2.0)
    figure.add_subplot().plot([0, 1], [1, 0])
    save(figure, Path(sys.argv[3]))
"""
    for name in ("plain", "set", "gone"):
        (tmp_path / name).mkdir()
    (tmp_path / "set" / "matplotlibrc").write_bytes(MATPLOTLIBRC)
    drawn = []
    for name in ("plain", "set", "gone"):
        environment = {**os.environ, "MPLBACKEND": "Agg" if name == "plain" else "module://no.such"}
        out = tmp_path / f"{name}.png"
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / name), name, str(out)],
            env=environment, check=True, cwd=tmp_path,
        )  # fmt: skip
        drawn.append(out.read_bytes())
    assert drawn[0] == drawn[1] == drawn[2]


def test_parameter_set_with_a_byte_order_mark(capsys: Capture, tmp_path: Path) -> None:
    text = resource_path("fast-memristor.toml").read_text(encoding="utf-8")
    marked, wide = tmp_path / "bom.toml", tmp_path / "wide.toml"
    marked.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    wide.write_text(text, encoding="utf-16")
    found, known = load_parameter_set(str(marked)), load_parameter_set("fast-memristor")
    assert found == known
    reply = call(capsys, *SURROGATE, "--device", wide)
    assert reply.code == 2
    assert f"{wide} cannot be read as TOML: it is not in UTF-8" in reply.err


WINDOWS = f"""
import os, signal, sys
import click, h5py, jinja2, matplotlib.figure, PySpice.Spice.Netlist, pydantic, sklearn.datasets
import multiprocessing, scipy.sparse.linalg, tqdm, urllib.request, tarfile, threadpoolctl
sys.path.insert(0, {str(ROOT)!r})
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for module, names in (
    (os, "fork killpg getuid geteuid O_NOFOLLOW O_NONBLOCK mkfifo mknod posix_fallocate sysconf"),
    (signal, "SIGKILL SIGHUP SIGALRM SIGPIPE SIGPROF pthread_sigmask setitimer"),
):
    for name in names.split():
        delattr(module, name)
sys.platform = "win32"
from memspice.cli.main import main
main(["simulate-layer"])
"""


def test_windows_is_told_where_memspice_runs(tmp_path: Path) -> None:
    """All modules come without what Windows lacks; then a sentence, and no traceback."""
    ended = subprocess.run(
        [sys.executable, "-c", WINDOWS], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "memspice: memspice runs on Linux and macOS; on Windows run it in WSL\n"


def test_cache_keeps_results_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.localtime", lambda *_: (1970, 1, 1, 0, 0, 0, 3, 1, 0))
    entry = Entry({"a": 0.1}, {"x": np.arange(3.0), "empty": np.empty(0)})
    JobCache(tmp_path).put("0" * 64, entry)
    found = JobCache(tmp_path).get("0" * 64)
    assert found is not None
    assert found.facts == entry.facts
    assert {k: v.tobytes() for k, v in found.arrays.items()} == {
        k: v.tobytes() for k, v in entry.arrays.items()
    }
