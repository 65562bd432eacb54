"""Programs die with who started them, their children too; what they write has a bound."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from memspice.engines import process, run_folder
from memspice.engines.process import run_process
from memspice.errors import ConfigError, EngineError, EngineTimeout
from tests.engine_helpers import ON_POSIX

pytestmark = ON_POSIX
#: A child in the group of its parent, one in a session of its own, and the parent, deaf to all
#: signals that it may refuse. Each writes its number.
FAMILY = """
trap '' TERM INT HUP
sleep 300 & echo $! >> {pids}
setsid sleep 300 & echo $! >> {pids}
echo $$ >> {pids}
while :; do sleep 0.2; done
"""


def is_running(pid: int) -> bool:
    """A zombie, which only waits for its parent to look, does not run."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def wait_until(condition: object, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def numbers(path: Path, count: int) -> list[int]:
    assert wait_until(lambda: path.exists() and len(path.read_text().split()) == count)
    return [int(word) for word in path.read_text().split()]


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@linux
def test_children_are_gone_after_a_run_also_those_in_a_session_of_their_own(
    tmp_path: Path,
) -> None:
    pids = tmp_path / "pids"
    with run_folder.run_folder() as folder, pytest.raises(EngineTimeout):
        run_process(["sh", "-c", FAMILY.format(pids=pids)], folder, timeout=0.5)
    assert wait_until(lambda: not any(map(is_running, numbers(pids, 3))), 2.0)


@linux
def test_a_program_dies_with_a_process_that_is_killed_and_its_folder_goes(tmp_path: Path) -> None:
    pids, place = tmp_path / "pids", tmp_path / "temporary"
    place.mkdir()
    code = (
        "import sys; from memspice.engines.process import run_process\n"
        "from memspice.engines.run_folder import run_folder\n"
        "with run_folder() as folder: run_process(sys.argv[1:], folder, timeout=300)\n"
    )
    command = [sys.executable, "-c", code, "sh", "-c", FAMILY.format(pids=pids)]
    owner = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(place)})
    family = numbers(pids, 3)
    assert len(list(place.glob("memspice-*"))) == 1
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert wait_until(lambda: not any(map(is_running, family)))
    assert wait_until(lambda: not list(place.iterdir()))


def test_a_run_costs_no_wait(tmp_path: Path) -> None:
    start = time.monotonic()
    assert run_process(["true"], tmp_path, timeout=60) == 0
    assert run_process(["sh", "-c", "exit 3"], tmp_path, timeout=60) == 3
    assert run_process(["sh", "-c", "kill -9 $$"], tmp_path, timeout=60) == -9
    assert time.monotonic() - start < 5


def test_a_program_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "none").write_bytes(b"")
    for program in ("/nowhere/program", str(tmp_path), str(tmp_path / "none")):
        with pytest.raises(EngineError, match="cannot start"):
            run_process([program], tmp_path, timeout=60)


@pytest.mark.parametrize("timeout", [0.0, 1e-9, -1.0, float("nan"), process.POLL_SECONDS / 2])
def test_a_limit_below_one_look_is_refused(tmp_path: Path, timeout: float) -> None:
    with pytest.raises(ConfigError, match="at least"):
        run_process(["true"], tmp_path, timeout=timeout)


@pytest.mark.parametrize("stream", ["1", "2"])
def test_a_flood_of_words_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    monkeypatch.setattr(process, "OUTPUT_LIMIT", 2**20)
    with pytest.raises(EngineError, match="of words, above the limit of 1 MiB"):
        run_process(["sh", "-c", f"yes words >&{stream}"], tmp_path, timeout=60)
    with pytest.raises(EngineError, match="of words"):  # also where the program ends by itself
        run_process(["sh", "-c", f"yes | head -c 2000000 >&{stream}"], tmp_path, timeout=60)


def test_a_flood_of_numbers_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "FOLDER_LIMIT", 2**20)
    with pytest.raises(EngineError, match="of files, above the limit"):
        run_process(["sh", "-c", "yes > out.raw"], tmp_path, timeout=60)


def test_only_abandoned_folders_with_our_mark_are_removed(tmp_path: Path) -> None:
    (tmp_path / "memspice-stranger").mkdir()
    (tmp_path / "memspice-file").write_text("not ours")
    (tmp_path / "memspice-other").mkdir()
    (tmp_path / "memspice-other" / run_folder.MARK).write_text("another mark")
    (tmp_path / "memspice-link").symlink_to(tmp_path / "memspice-stranger")
    with run_folder.run_folder(tmp_path) as living:
        text = (living / run_folder.MARK).read_bytes()
        dead = tmp_path / "memspice-dead"
        dead.mkdir()
        (dead / run_folder.MARK).write_bytes(text)
        (dead / "out.raw").write_text("data")
        before = set(tmp_path.iterdir())
        run_folder.remove_abandoned.cache_clear()
        run_folder.remove_abandoned(str(tmp_path))
        assert before - set(tmp_path.iterdir()) == {dead}
    assert not living.exists()


def test_the_folder_of_a_run_is_the_systems() -> None:
    with run_folder.run_folder() as folder:
        assert folder.parent == Path(tempfile.gettempdir())
        assert [path.name for path in folder.iterdir()] == [run_folder.MARK]
