"""Files from outside: refused by name, within limits, whatever is in them."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from memspice.errors import DataError, StoreError
from memspice.inputs import (
    Group,
    hdf5_client,
    hdf5_server,
    open_hdf5,
    open_input,
    read_input,
)
from memspice.inputs import hdf5 as hdf5_module
from memspice.inputs.files import parse_json
from memspice.outputs import printable


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to(path.with_name("pipe"))


def listening(path: Path) -> None:
    socket.socket(socket.AF_UNIX).bind(str(path))


def missing(path: Path) -> None:
    path.unlink(missing_ok=True)


def circle(path: Path) -> None:
    path.symlink_to(path)


KINDS: dict[Callable[[Path], None], str] = {
    folder: "is a folder",
    pipe: "is a pipe",
    link_to_pipe: "is a pipe",
    listening: "is a socket",
    missing: "does not exist",
    circle: "cannot be read",
}


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("error", [DataError, StoreError])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_is_no_regular_file(
    tmp_path: Path, make: Callable[[Path], None], error: type[Exception]
) -> None:
    path = tmp_path / "in"
    make(path)
    for read in (open_input, lambda p, e: read_input(p, 10, e), _open):
        with pytest.raises(error, match=f"in {KINDS[make]}"):
            read(path, error)  # type: ignore[operator]


def _open(path: Path, error: type[DataError]) -> None:
    with open_hdf5(path, error):
        pass


def test_name_with_control_characters_is_shown_as_escapes(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_input(tmp_path / "a\x1b[31m\nb\u202e")
    assert r"a\x1b[31m\x0ab\u202e does not exist" in str(caught.value)


def test_file_larger_than_its_kind_may_be_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(30 << 30)
    with pytest.raises(DataError, match="more than 1,000 bytes"):
        read_input(path, 1000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "JSON"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ("[NaN]", "NaN is no finite"),
        ("1" * 5000, "JSON"),
        (b"\xff", "JSON"),
    ],
)
def test_json_that_is_refused(text: str | bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        parse_json(text, "here")


def test_printable_keeps_letters_of_all_scripts() -> None:
    assert printable("Zürich 東京 µ") == "Zürich 東京 µ"
    assert printable("a\tb\nc\r", lines=True) == "a\tb\nc\\x0d"
    assert printable("\u2066\x9b\ud800") == r"\u2066\x9b\ud800"


# --- HDF5 -----------------------------------------------------------------------------------


@pytest.fixture
def hdf5(tmp_path: Path) -> Path:
    path = tmp_path / "some.h5"
    with h5py.File(path, "w") as file:
        file.attrs["whole"], file.attrs["text"] = 3, "words"
        file["group/numbers"] = np.arange(6, dtype=">f4").reshape(2, 3)
        file["group/flags"] = np.array([True, False])
        file["group"].attrs["real"] = 1.5
        file["texts"] = ["a", "b"]
    return path


def test_a_group_that_many_lie_in_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of 320 jobs could not be resumed: each of them took a listing of all."""
    with h5py.File(tmp_path / "jobs.h5", "w") as file:
        for number in range(20):
            file.create_group(f"loop/job{number}")
    listed = []

    def counted(path: Path, error: type[Exception], request: dict[str, object]) -> object:
        listed.append(request["do"])
        return answer(path, error, request)

    answer = hdf5_module._checked
    monkeypatch.setattr(hdf5_module, "_checked", counted)
    with open_hdf5(tmp_path / "jobs.h5") as root:
        for number in range(20):
            assert root.group("loop").group(f"job{number}").names == []
    # the root, what they lie in, and each of them
    assert listed.count("group") == 1 + 1 + 20


def test_values_are_those_of_the_file(hdf5: Path) -> None:
    with open_hdf5(hdf5) as file:
        assert (file.whole("whole", 0, 9), file.text("text")) == (3, "words")
        group = file.group("group")
        assert group.real("real", 0, 2) == 1.5
        numbers = group.dataset("numbers").numbers("f", (2, None))
        np.testing.assert_array_equal(numbers, np.arange(6).reshape(2, 3))
        assert group.dataset("flags").numbers("b").tolist() == [True, False]
        assert file.dataset("texts").texts() == ["a", "b"]


def cyclic(file: h5py.File) -> None:
    file["group/again"] = file["group"]


def links(file: h5py.File) -> None:
    del file["group"]
    file["group"] = h5py.ExternalLink("/etc/passwd", "/")


def soft(file: h5py.File) -> None:
    del file["group"]
    file["group"] = h5py.SoftLink("/")


def bomb(file: h5py.File) -> None:
    del file["group/numbers"]
    file["group"].create_dataset("numbers", (1 << 26,), "f8", chunks=(1 << 16,))


def terabytes(file: h5py.File) -> None:
    del file["group/numbers"]
    file["group"].create_dataset("numbers", (1 << 40,), "f8", chunks=(1 << 16,))


def deflated(file: h5py.File) -> None:
    del file["group/numbers"]
    file["group"].create_dataset("numbers", (1 << 20,), "f8", compression="gzip", chunks=True)


def virtual(file: h5py.File) -> None:
    del file["group/numbers"]
    layout = h5py.VirtualLayout((2, 3), "f8")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (2, 3))
    file["group"].create_virtual_dataset("numbers", layout)


def elsewhere(file: h5py.File) -> None:
    del file["group/numbers"]
    file["group"].create_dataset("numbers", (2, 3), "f8", external=[("/etc/passwd", 0, 48)])


def compound(file: h5py.File) -> None:
    del file["group/numbers"]
    file["group/numbers"] = np.zeros(3, [("a", "i4"), ("b", "f8")])


def references(file: h5py.File) -> None:
    del file["group/numbers"]
    file["group/numbers"] = np.array([file.ref], h5py.ref_dtype)


def ragged(file: h5py.File) -> None:
    del file["group/numbers"]
    file["group"].create_dataset("numbers", (2,), h5py.vlen_dtype(np.float64))


def nothing(file: h5py.File) -> None:
    del file["group/numbers"]
    file["group/numbers"] = h5py.Empty("f8")


def not_finite(file: h5py.File) -> None:
    file["group/numbers"][0, 0] = np.inf


def deep(file: h5py.File) -> None:
    del file["group/numbers"]
    file["group/" + "a/" * 60 + "numbers"] = 1.0


SPOILT: dict[Callable[[h5py.File], None], str] = {
    cyclic: "in itself",
    links: "is a link",
    soft: "is a link",
    bomb: "announces",
    terabytes: "announces",
    deflated: "announces",
    virtual: "in other files",
    elsewhere: "in other files",
    compound: "expected whole numbers or real numbers",
    references: "expected whole numbers or real numbers",
    ragged: "expected whole numbers or real numbers",
    nothing: "expected whole numbers or real numbers",
    not_finite: "not finite",
    deep: "deeper than|is a group",
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_what_no_file_of_numbers_has_is_refused_and_named(
    hdf5: Path, spoil: Callable[[h5py.File], None]
) -> None:
    with h5py.File(hdf5, "a") as file:
        spoil(file)
    with pytest.raises(StoreError, match=f"some.h5.*{SPOILT[spoil]}"):
        _read_numbers(hdf5)


def _read_numbers(path: Path) -> None:
    with open_hdf5(path, StoreError) as file:
        _walk(file)
        file.group("group").dataset("numbers").numbers("iuf")


def _walk(group: Group) -> None:
    for name in group.names:
        if group.kind_of(name) == "group":
            _walk(group.group(name))


ODD_ATTRIBUTES = {
    "compound": np.zeros((), [("a", "i4")]),
    "array": np.arange(3),
    "text": "not a number",
    "complex": 1j,
    "large": 10**6,
    "real": 2.5,
    "negative": -1,
}


@pytest.mark.parametrize("name", ODD_ATTRIBUTES)
def test_attribute_of_another_kind_is_named(hdf5: Path, name: str) -> None:
    with h5py.File(hdf5, "a") as file:
        file.attrs["odd"] = ODD_ATTRIBUTES[name]
    with open_hdf5(hdf5) as file, pytest.raises(DataError, match="some.h5, /: the attribute 'odd'"):
        file.whole("odd", 0, 100)


def fresh_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next server be a fork, which has a test's patches, whatever threads others left."""
    hdf5_client._end_server()
    monkeypatch.setattr(hdf5_client, "_may_fork", lambda: True)


def test_library_that_does_not_come_back_is_killed_and_the_next_file_is_read(
    hdf5: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh_fork(monkeypatch)
    monkeypatch.setattr(hdf5_server, "SECONDS", 1)

    def loop(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            pass

    with monkeypatch.context() as patch:
        patch.setattr(hdf5_server._File, "group", loop)
        start = time.monotonic()
        with (
            pytest.raises(DataError, match=r"some.h5 is damaged: .* within about 1 s"),
            open_hdf5(hdf5),
        ):
            pass
        assert time.monotonic() - start < 20
    hdf5_client._end_server()  # the fork that follows has the true method
    with open_hdf5(hdf5) as file:
        assert file.names


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_library_that_crashes(
    hdf5: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    fresh_fork(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(hdf5_server._File, "group", lambda *_: os.kill(os.getpid(), number))
        with pytest.raises(DataError, match=r"some.h5 (is damaged: .*crashed|cannot be read)"):
            _open(hdf5, DataError)
    hdf5_client._end_server()


def test_server_asks_for_too_much_memory(hdf5: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_fork(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(hdf5_server, "MEMORY", 1 << 28)
        patch.setattr(hdf5_server._File, "group", lambda *_: np.ones(1 << 28))
        with pytest.raises(DataError, match=r"some.h5 asks for more than .* memory"):
            _open(hdf5, DataError)
    hdf5_client._end_server()


def test_server_started_as_a_program_reads_the_same(hdf5: Path) -> None:
    hdf5_client._end_server()
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()  # a process with threads is not forked
    try:
        test_values_are_those_of_the_file(hdf5)
        assert isinstance(hdf5_client._client().process, hdf5_client._Started)
    finally:
        stop.set()
        thread.join()
        hdf5_client._end_server()


def test_server_holds_no_file_of_its_parent(tmp_path: Path, hdf5: Path) -> None:
    hdf5_client._end_server()
    with (tmp_path / "held").open("w"):
        _open(hdf5, DataError)
        pid = hdf5_client._client().process.pid
        held = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    assert str(tmp_path / "held") not in held
