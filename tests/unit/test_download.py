"""The real download code against a local server: all of the archive, or nothing and the reason."""

from __future__ import annotations

import errno
import functools
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from memspice.datasets import download, load_cifar10
from memspice.datasets.download import PROVENANCE, Unreachable, download_folder
from memspice.errors import DataError

MEMBERS = [
    f"cifar-10-batches-bin/{name}.bin"
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
]


def archive(files: dict[str, bytes], link: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/hostname"
            tar.addfile(info)
    return buffer.getvalue()


GOOD_FILES = {name: bytes([number]) + bytes(3072) for number, name in enumerate(MEMBERS)}
GOOD = archive({**GOOD_FILES, "cifar-10-batches-bin/batches.meta.txt": b"airplane\n"})


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


class Server(ThreadingHTTPServer):
    """Answers every request with the same bytes."""

    content: bytes = b""
    status: int = 200
    promised: int | None = None
    requests: int = 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        self.send_response(self.server.status)
        promised = self.server.promised
        self.send_header("Content-Length", str(promised or len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        running.content = GOOD
        thread = threading.Thread(target=functools.partial(running.serve_forever, 0.01))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def url(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    address = f"http://127.0.0.1:{server.server_port}/cifar.tar.gz"
    monkeypatch.setenv("MEMSPICE_CIFAR10_URL", address)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("MEMSPICE_DATA", raising=False)
    return address


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "files"


def assert_nothing_left(folder: Path) -> None:
    assert list(folder.parent.iterdir()) == []


def test_download_makes_the_files_and_their_record(url: str, folder: Path) -> None:
    heard: list[tuple[int, int | None]] = []
    download_folder(url, md5(GOOD), MEMBERS, folder, lambda *sizes: heard.append(sizes))
    names = {path.name for path in folder.iterdir()}
    assert names == {name.split("/")[1] for name in MEMBERS} | {PROVENANCE}
    assert (folder / "test_batch.bin").read_bytes() == GOOD_FILES[MEMBERS[-1]]
    record = json.loads((folder / PROVENANCE).read_text())
    assert record["archive"] == {"url": url, "md5": md5(GOOD)}
    assert record["files"]["test_batch.bin"] == md5(GOOD_FILES[MEMBERS[-1]])
    assert heard[-1] == (len(GOOD), len(GOOD))
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_loader_downloads_once_and_calls_it_lossless(tmp_path: Path, server: Server) -> None:
    for _ in range(2):
        data = load_cifar10(cache=tmp_path, archive_md5=md5(GOOD))
        assert data.name == "cifar10"
        assert data.labels.tolist() == [5]
        assert data.lossless is True
    assert server.requests == 1
    assert len(load_cifar10(split="train", cache=tmp_path, archive_md5=md5(GOOD))) == 5
    # The same files are nothing special to whom another archive is the official one.
    assert load_cifar10(cache=tmp_path).lossless is False


def test_extracted_file_that_changed_is_an_error(tmp_path: Path) -> None:
    load_cifar10(cache=tmp_path, archive_md5=md5(GOOD))
    (file,) = tmp_path.glob("*/*/test_batch.bin")
    file.write_bytes(bytes(3073))
    with pytest.raises(DataError, match=r"test_batch\.bin has changed since it was extracted"):
        load_cifar10(cache=tmp_path, archive_md5=md5(GOOD))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"archive": 1, "files": {}}'])
def test_damaged_record_is_an_error(tmp_path: Path, text: str) -> None:
    load_cifar10(cache=tmp_path, archive_md5=md5(GOOD))
    (record,) = tmp_path.glob(f"*/*/{PROVENANCE}")
    record.write_text(text)
    with pytest.raises(DataError, match="is damaged"):
        load_cifar10(cache=tmp_path, archive_md5=md5(GOOD))


def test_wrong_checksum_is_an_error_and_leaves_nothing(
    url: str, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=f"has the MD5 {md5(GOOD)}, not c32a") as caught:
        download_folder(url, "c32a", MEMBERS, folder)
    assert not isinstance(caught.value, Unreachable)
    assert_nothing_left(folder)
    with pytest.raises(DataError, match="has the MD5"):
        load_cifar10(cache=tmp_path)


def test_cut_transfer_leaves_nothing_and_the_packaged_images_stand_in(
    url: str, folder: Path, server: Server, tmp_path: Path
) -> None:
    server.promised = len(GOOD) + 1000
    with pytest.raises(Unreachable, match=f"stopped after {len(GOOD)} of {len(GOOD) + 1000} bytes"):
        download_folder(url, md5(GOOD), MEMBERS, folder)
    assert_nothing_left(folder)
    data = load_cifar10(cache=tmp_path, archive_md5=md5(GOOD))
    assert data.name == "cifar10-foolbox20"
    assert "stopped after" in data.source


def test_missing_page_falls_back_and_says_so(
    url: str, folder: Path, server: Server, tmp_path: Path
) -> None:
    server.status = 404
    with pytest.raises(Unreachable, match="404"):
        download_folder(url, md5(GOOD), MEMBERS, folder)
    assert_nothing_left(folder)
    assert "404" in load_cifar10(cache=tmp_path).source
    with pytest.raises(DataError, match=r"no training images.*404"):
        load_cifar10(split="train", cache=tmp_path)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/a.tar.gz", "nonsense"])
def test_unreachable_address_is_named(folder: Path, address: str) -> None:
    with pytest.raises(Unreachable, match=f"{address} cannot be reached"):
        download_folder(address, md5(GOOD), MEMBERS, folder)
    assert_nothing_left(folder)


def test_members_never_leave_the_folder(url: str, server: Server, folder: Path) -> None:
    server.content = archive({"../../evil": b"x", "/evil": b"x", **GOOD_FILES, "../evil.bin": b"x"})
    download_folder(url, md5(server.content), MEMBERS, folder)
    everything = {path.name for path in folder.parent.parent.rglob("*")}
    assert not [name for name in everything if "evil" in name]
    assert len(list(folder.iterdir())) == 7


@pytest.mark.parametrize("link", ["", MEMBERS[2]])
def test_missing_or_linked_member_is_an_error(
    url: str, server: Server, folder: Path, link: str
) -> None:
    files = {name: content for name, content in GOOD_FILES.items() if name != MEMBERS[2]}
    server.content = archive(files, link)
    with pytest.raises(DataError, match=f"lacks {MEMBERS[2]}"):
        download_folder(url, md5(server.content), MEMBERS, folder)
    assert_nothing_left(folder)


@pytest.mark.parametrize("content", [b"no archive", GOOD[: len(GOOD) // 2]])
def test_damaged_archive_is_an_error(
    url: str, server: Server, folder: Path, content: bytes
) -> None:
    server.content = content
    with pytest.raises(DataError, match="is damaged"):
        download_folder(url, md5(content), MEMBERS, folder)
    assert_nothing_left(folder)


class FullDisk(io.BytesIO):
    """A file on a device without space."""

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_full_disk_is_an_error_that_says_what_to_do(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Path, "open", lambda *_, **__: FullDisk())
    for call in (
        lambda: download_folder(url, md5(GOOD), MEMBERS, folder),
        lambda: load_cifar10(cache=tmp_path, archive_md5=md5(GOOD)),
    ):
        with pytest.raises(DataError, match=r"No space left.*XDG_CACHE_HOME") as caught:
            call()
        assert not isinstance(caught.value, Unreachable)
    assert_nothing_left(folder)


def test_interrupted_download_leaves_nothing(url: str, folder: Path) -> None:
    def interrupt(received: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download_folder(url, md5(GOOD), MEMBERS, folder, interrupt)
    assert_nothing_left(folder)


def test_faster_process_wins(url: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "mine").touch()
    download_folder(url, md5(GOOD), MEMBERS, folder)
    assert [path.name for path in folder.iterdir()] == ["mine"]


def test_unusable_cache_is_an_error(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot write the files"):
        download_folder(url, md5(GOOD), MEMBERS, tmp_path / "file" / "folder")


def test_pieces_are_bounded_in_time() -> None:
    assert 0 < download._TIMEOUT <= 10
