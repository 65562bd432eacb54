"""One archive from the network into a folder: checked, and complete or not there at all."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import tarfile
import tempfile
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from memspice.errors import DataError
from memspice.inputs import open_input, read_json
from memspice.resources import write_advice

#: Called with the bytes received so far and the bytes in all (None where the server does not say).
Progress = Callable[[int, int | None], None]

#: File beside the extracted ones that says which archive they came from.
#: Largest record of where files come from, [bytes].
_LARGEST_RECORD = 1 << 20
PROVENANCE = "memspice-provenance.json"

_TIMEOUT = 10.0  # s, to connect and between two pieces
_PIECE = 1 << 18  # bytes
# Told that it guards against accidents only, or a machine in FIPS mode refuses it.
_md5 = partial(hashlib.md5, usedforsecurity=False)


class Unreachable(DataError):
    """The archive could not be had from the network."""


def download_folder(
    url: str,
    md5: str,
    members: Sequence[str],
    folder: Path,
    progress: Progress | None = None,
) -> None:
    """Download a tar archive and put some of its files into a new folder.

    The folder appears with all its files, and a record of their origin, or not at all.

    Parameters
    ----------
    url : str
        Address of the archive.
    md5 : str
        Its MD5 checksum, hexadecimal.
    members : sequence of str
        Files to extract, as named in the archive; only their last parts name the new files.
    folder : Path
        Folder to make; one that is there already is left as it is.
    progress : callable, optional
        Told how far the download is.

    Raises
    ------
    Unreachable
        If the server cannot be reached, refuses, or stops before the end.
    DataError
        If the checksum or a member is wrong, or a file cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="download.part-", dir=folder.parent) as temporary:
            archive = Path(temporary, "archive")
            received = _receive(url, archive, progress)
            if received != md5:
                raise DataError(
                    f"what {url} sent has the MD5 {received}, not {md5}; check the address, or "
                    "get the files by hand and name their folder"
                )
            made = Path(temporary, "files")
            made.mkdir()
            _extract(archive, members, made, url)
            _write_provenance(made, url, md5)
            _move(made, folder)
    except OSError as error:
        raise DataError(
            f"cannot write the files of {url} below {folder.parent}: {error}; "
            + write_advice(error, "XDG_CACHE_HOME")
        ) from error


def read_provenance(folder: Path) -> dict[str, dict[str, str]] | None:
    """Which archive the files of a folder came from.

    Returns
    -------
    dict or None
        ``archive`` (``url`` and ``md5``) and ``files`` (name to MD5); None where the folder was
        not made by :func:`download_folder`.

    Raises
    ------
    DataError
        If the record is there but cannot be read.
    """
    path = folder / PROVENANCE
    if not path.exists():
        return None
    try:
        record: dict[str, dict[str, str]] = read_json(path, _LARGEST_RECORD)
        return {"archive": dict(record["archive"]), "files": dict(record["files"])}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged ({error}); delete {folder}") from error


def file_md5(path: Path) -> str:
    """MD5 checksum of a file, hexadecimal."""
    with open_input(path) as file:
        return hashlib.file_digest(file, _md5).hexdigest()


def _receive(url: str, target: Path, progress: Progress | None) -> str:
    """Write what the server sends to a file; returns its MD5."""
    checksum = _md5()
    with target.open("wb") as file:
        for piece, received, total in _pieces(url):
            file.write(piece)
            checksum.update(piece)
            if progress:
                progress(received, total)
    return checksum.hexdigest()


def _pieces(url: str) -> Iterator[tuple[bytes, int, int | None]]:
    """Yield each piece of an answer, the bytes so far, the bytes in all."""
    received, total = 0, None
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
            while piece := response.read(_PIECE):
                received += len(piece)
                yield piece, received, total
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{url} cannot be reached: {error}") from error
    # http.client ends a cut answer as if it were complete.
    if total is not None and received != total:
        raise Unreachable(f"{url} stopped after {received} of {total} bytes")


def _extract(archive: Path, members: Sequence[str], folder: Path, url: str) -> None:
    """Write the wanted regular files; no other name in the archive is ever used as a path."""
    missing = set(members)
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.name in missing and member.isreg():
                    _copy(tar, member, folder / PurePosixPath(member.name).name)
                    missing.remove(member.name)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"the archive of {url} is damaged: {error}; check the address") from error
    if missing:
        raise DataError(f"the archive of {url} lacks {', '.join(sorted(missing))}")


def _copy(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise DataError(f"{member.name} in the archive is not a file")
    with source, target.open("wb") as file:
        shutil.copyfileobj(source, file)


def _write_provenance(folder: Path, url: str, md5: str) -> None:
    files = {path.name: file_md5(path) for path in sorted(folder.iterdir())}
    record = {"archive": {"url": url, "md5": md5}, "files": files}
    (folder / PROVENANCE).write_text(json.dumps(record, indent=1), encoding="utf-8")


def _move(made: Path, folder: Path) -> None:
    """Give the folder its name; another process may have been faster."""
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
