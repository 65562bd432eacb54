"""What is replaced and what is not, under which names files are written, and folders as a whole."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from memspice.errors import ConfigError, MemspiceError, StoreError
from memspice.outputs import building, folders, replacing, write_text
from memspice.store import RunWriter
from tests.cli_helpers import DIGITS, SURROGATE, call, largest_file
from tests.unit.test_store_writer import PROVENANCE, record

Capture = pytest.CaptureFixture[str]


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    os.chdir(path.parent)  # its full name may be too long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)


def make_device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only the superuser makes devices")


def link_to_file(path: Path) -> None:
    (path.parent / "other").write_text("precious")
    path.symlink_to("other")


def link_to_folder(path: Path) -> None:
    (path.parent / "other").mkdir()
    path.symlink_to("other")


def dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def make_folder(path: Path) -> None:
    path.mkdir()


def read_only(path: Path) -> None:
    path.write_text("precious")
    path.chmod(0o444)


OTHERS = [
    make_fifo, make_socket, make_device, link_to_file, link_to_folder, dangling_link,
    link_to_itself, make_folder, read_only,
]  # fmt: skip


def looks(folder: Path) -> dict[str, Any]:
    """Kind, permissions and content of all that is in a folder."""
    found = {}
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        target = os.readlink(path) if path.is_symlink() else ""
        content = path.read_bytes() if stat.S_ISREG(mode) else b""
        found[str(path.relative_to(folder))] = (mode, target, content)
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
@pytest.mark.parametrize("make", OTHERS)
def test_only_a_regular_file_or_nothing_is_replaced(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "out.h5"
    make(path)
    before = looks(tmp_path)
    for command in ([*SURROGATE, "--out"], ["netlist", "crossbar", "--out"]):
        reply = call(capsys, *command, path)
        assert reply.code == 2
        assert str(path) in reply.err or "is a directory" in reply.err
    for write in (lambda: write_text(path, "new"), lambda: RunWriter.create(path, PROVENANCE)):
        with pytest.raises(MemspiceError):
            write()
    with pytest.raises(ConfigError), replacing(path):
        pass
    assert looks(tmp_path) == before


@pytest.mark.parametrize(
    "command",
    [
        (*SURROGATE, "--out", "no/run.h5"),
        ("infer", *DIGITS, "--out", "no/run.h5"),
        ("cosim", *DIGITS, "--out", "no/folder"),
        ("characterize", "--out", "no/folder"),
        ("characterize", "--fit", "no/fit.toml"),
        ("netlist", "crossbar", "--out", "no/a.cir"),
        ("netlist", "--golden", "no/folder"),
        ("convert", "a.nir", "--out", "no/net.h5"),
        ("train", "digits-mlp", "--out", "no/net.h5"),
        ("waves", "plot", "run.h5", "job", "--out", "no/a.png"),
    ],
)
def test_missing_folder_is_refused_before_the_work(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    reply = call(capsys, *command)
    assert reply.code == 2, reply.err
    assert "its folder no does not exist; check the name, or make it with --parents" in reply.err
    assert not list(tmp_path.iterdir())


def test_parents_makes_folders(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "a" / "b" / "x.cir"
    assert call(capsys, "netlist", "crossbar", "--out", out, "--parents").code == 0
    assert out.stat().st_size > 100


def test_permissions_are_kept_and_other_names_keep_the_old_content(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_text("old")
    path.chmod(0o640)
    os.link(path, other)
    write_text(path, "new")
    assert (path.read_text(), other.read_text()) == ("new", "old")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    before = os.umask(0o027)
    write_text(tmp_path / "c", "")
    os.umask(before)
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == 0o640


def test_names_of_unfinished_files_cannot_be_foretold(tmp_path: Path) -> None:
    seen = set()
    for _ in range(3):
        with suppress(KeyboardInterrupt), replacing(tmp_path / "a") as temporary:
            seen.add(temporary.name)
            assert temporary.parent == tmp_path
            raise KeyboardInterrupt
    assert len(seen) == 3
    assert not list(tmp_path.iterdir())


def test_what_takes_the_place_meanwhile_stays(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("precious")
    path = tmp_path / "a"

    def write() -> None:
        with replacing(path) as temporary:
            temporary.write_text("new")
            path.symlink_to("other")

    with pytest.raises(ConfigError, match="is a symbolic link"):
        write()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a", "other"]
    assert path.read_text() == "precious"


def test_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with largest_file(100), pytest.raises(StoreError, match="disk full"):
        write_text(path, "new" * 1000)
    assert [(item.name, item.read_text()) for item in tmp_path.iterdir()] == [("a", "old")]


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_a_strangers_parts_are_neither_used_nor_removed(tmp_path: Path, kind: str) -> None:
    parts = tmp_path / "run.h5.parts"
    if kind == "folder":
        parts.mkdir()
        (parts / "mine.h5").write_text("precious")
    elif kind == "file":
        parts.write_text("precious")
    else:
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "memspice-run.lock").touch()
        parts.symlink_to("other")
    before = looks(tmp_path)
    with pytest.raises(StoreError, match="was not made by memspice"):
        RunWriter.create(tmp_path / "run.h5", PROVENANCE)
    assert looks(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs to be root")
def test_a_folder_that_another_user_laid_out_is_not_used(tmp_path: Path) -> None:
    """Where everybody may make folders, a stranger could wait for what is written into his."""
    tmp_path.chmod(0o1777)
    parts = tmp_path / "run.h5.parts"
    parts.mkdir()
    (parts / "memspice-run.lock").touch()
    os.chown(parts, 12345, 12345)
    with pytest.raises(StoreError, match="was not made by memspice"):
        RunWriter.create(tmp_path / "run.h5", PROVENANCE)


def test_a_strangers_file_among_the_parts_stays(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run.h5", PROVENANCE) as run:
        (tmp_path / "run.h5.parts" / "notes.txt").write_text("precious")
        run.add(record(0))
        run.finish({})
    assert [path.name for path in (tmp_path / "run.h5.parts").iterdir()] == ["notes.txt"]


# --- folders --------------------------------------------------------------------------------

NAMES = ("summary.json", "page.html")


def build(target: Path, text: str, *, whole: bool = True, resume: bool = False) -> Path:
    with building(target, NAMES, resume=resume) as made:
        for name in NAMES:
            write_text(made.path / name, text)
        return made.place(whole=whole)


def content(folder: Path) -> dict[str, str]:
    return {
        path.name: path.read_text() for path in folder.iterdir() if path.name != "manifest.json"
    }


def test_a_folder_is_exchanged_as_a_whole_and_strangers_are_carried_over(tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert build(target, "one") == target
    target.chmod(0o750)
    (target / "notes.txt").write_text("precious")
    (target / "mine").mkdir()
    assert build(target, "two") == target
    assert (target / "mine").is_dir()
    (target / "mine").rmdir()
    assert content(target) == {**dict.fromkeys(NAMES, "two"), "notes.txt": "precious"}
    assert stat.S_IMODE(target.stat().st_mode) == 0o750
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_result_that_is_not_whole_stays_beside_one_that_is(tmp_path: Path) -> None:
    target = tmp_path / "out"
    build(target, "one", whole=False)
    build(target, "two", whole=False)
    build(target, "three")
    place = build(target, "four", whole=False)
    assert place.name.startswith("out.building-")
    assert content(target) == dict.fromkeys(NAMES, "three")
    assert (place / "page.html").read_text() == "four"


@pytest.mark.parametrize("change", ["foreign", "edited"])
def test_a_strangers_file_of_the_same_name_is_refused(tmp_path: Path, change: str) -> None:
    target = tmp_path / "out"
    if change == "edited":
        build(target, "one")
    target.mkdir(exist_ok=True)
    (target / "page.html").write_text("precious")
    with pytest.raises(ConfigError, match=r"page\.html is not as memspice left it"):
        build(target, "two")
    assert (target / "page.html").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
@pytest.mark.parametrize(
    "make", [make_fifo, link_to_file, link_to_folder, dangling_link, read_only]
)
def test_only_a_folder_or_nothing_is_exchanged(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "out")
    before = looks(tmp_path)
    with pytest.raises(ConfigError, match="only a folder is ever replaced"):
        build(tmp_path / "out", "one")
    assert looks(tmp_path) == before


def test_the_current_folder_is_not_exchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out" / "below").mkdir(parents=True)
    for here in ("out", "out/below"):
        monkeypatch.chdir(tmp_path / here)
        with pytest.raises(ConfigError, match="while you are in it"):
            build(tmp_path / "out", "one")
    monkeypatch.chdir(tmp_path / "out")
    with pytest.raises(ConfigError, match="while you are in it"):
        build(Path(), "one")


def test_an_error_leaves_what_was_finished_for_resume(tmp_path: Path) -> None:
    target = tmp_path / "out"
    build(target, "one")

    def stopped() -> None:
        with building(target, NAMES) as made:
            (made.path / "part").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        stopped()
    assert "--resume goes on with it" in caught.value.__notes__[0]
    assert content(target) == dict.fromkeys(NAMES, "one")
    with pytest.raises(KeyboardInterrupt), building(target, NAMES):
        raise KeyboardInterrupt  # with nothing to keep
    with building(target, NAMES, resume=True) as made:
        assert (made.path / "part").read_text() == "half"
        with building(target, NAMES, resume=True) as other:  # another process at the same time
            assert other.path != made.path
        made.place(whole=True)
    assert content(target) == {"part": "half"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(sys.platform == "win32", reason="no processes to kill")
@pytest.mark.parametrize("exchange", [True, False])
def test_killed_before_any_step_of_an_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    """One of the two results is whole at its place after the next start, at the latest."""
    if not exchange:
        monkeypatch.setattr(folders, "_exchanged", lambda *_: False)
    steps = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree", "os.chmod"}
    killed, operation = True, 0
    while killed:
        operation += 1
        target = tmp_path / str(operation) / "out"
        target.parent.mkdir()
        build(target, "one")
        (target / "notes.txt").write_text("precious")
        child = os.fork()
        if child == 0:
            left = operation

            def count(event: str, arguments: tuple[Any, ...]) -> None:
                nonlocal left
                writes = event == "open" and arguments[2] and arguments[2] & os.O_CREAT
                if event in steps or writes:
                    left -= 1
                    if left == 0:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(count)
            build(target, "two")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        if exchange:
            texts = {json.dumps(content(target).get(name)) for name in NAMES}
            assert texts in ({'"one"'}, {'"two"'})
        with building(target, NAMES):
            pass
        found = content(target)
        assert found.pop("notes.txt") == "precious"
        assert found in (dict.fromkeys(NAMES, "one"), dict.fromkeys(NAMES, "two"))
        build(target, "three")
        assert content(target) == {**dict.fromkeys(NAMES, "three"), "notes.txt": "precious"}
        left_over = [path for path in target.parent.iterdir() if path != target]
        assert not [path for path in left_over if any(path.iterdir())]
    assert operation > 10


def test_a_pipe_in_the_place_of_a_manifest_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / folders.MANIFEST)
    code = "import sys, pathlib; from memspice.outputs import folders as f; "
    code += "sys.exit(f._read_manifest(pathlib.Path(sys.argv[1])) != {})"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=30)
