"""An entry of the cache under another key, or from another hand, is as good as absent."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memspice.errors import StoreError
from memspice.jobs import Entry, JobCache
from memspice.jobs import cache as cache_module

KEY = "ab" + "0" * 62
ENTRY = Entry({"text": "x"}, {"v(out)": np.array([0.1, -0.0])}, {"job": "a/b"})


def test_an_entry_lies_under_its_own_key_only(tmp_path: Path) -> None:
    cache, other = JobCache(tmp_path), KEY[::-1]
    cache.put(KEY, ENTRY)
    for place in (cache.path(other).write_bytes, None):
        if place is None:
            cache.path(other).unlink()
            cache.path(other).symlink_to(cache.path(KEY))
        else:
            cache.path(other).parent.mkdir(exist_ok=True)
            place(cache.path(KEY).read_bytes())
        assert cache.get(other) is None
        (file,) = [file for file in cache.files() if file.key == other]
        with pytest.raises(StoreError, match="checksum"):
            cache.read(file)
    assert cache.get(KEY) is not None


def sealed(label: bytes, archive: bytes) -> bytes:
    """A file with the right checksum, whatever it holds."""
    body = label + b"\n" + archive
    return cache_module._FORMAT + cache_module._checksum(KEY, body) + b"\n" + body  # noqa: SLF001


def archive(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def facts_of(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), dtype=np.uint8)


GOOD = '{"facts": {}, "names": ["x"]}'
FORGED = {
    "label no JSON": (b"label", archive(facts=facts_of(GOOD), a0=np.zeros(3))),
    "label deep": (b"[" * 100_000, archive(facts=facts_of(GOOD), a0=np.zeros(3))),
    "label a list": (b"[]", archive(facts=facts_of(GOOD), a0=np.zeros(3))),
    "no archive": (b"{}", b"nothing"),
    "empty archive": (b"{}", archive()),
    "one array, no archive": (b"{}", b"\x93NUMPY\x01\x00"),
    "facts no JSON": (b"{}", archive(facts=facts_of("{"), a0=np.zeros(3))),
    "facts a list": (b"{}", archive(facts=facts_of("[]"), a0=np.zeros(3))),
    "facts without names": (b"{}", archive(facts=facts_of('{"facts": {}}'))),
    "facts a number": (b"{}", archive(facts=facts_of('{"facts": 1, "names": []}'))),
    "names a number": (b"{}", archive(facts=facts_of('{"facts": {}, "names": 1}'))),
    "names twice": (
        b"{}",
        archive(facts=facts_of('{"facts": {}, "names": ["x", "x"]}'), a0=np.zeros(1), a1=1.0),
    ),
    "array missing": (b"{}", archive(facts=facts_of(GOOD))),
    "array too many": (b"{}", archive(facts=facts_of(GOOD), a0=np.zeros(1), a1=np.zeros(1))),
    "objects": (b"{}", archive(facts=facts_of(GOOD), a0=np.array([{}], dtype=object))),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_entry_is_as_good_as_absent(tmp_path: Path, case: str) -> None:
    cache = JobCache(tmp_path)
    path = cache.path(KEY)
    path.parent.mkdir(parents=True)
    path.write_bytes(sealed(b"{}", archive(facts=facts_of(GOOD), a0=np.zeros(3))))
    assert cache.get(KEY) is not None
    path.write_bytes(sealed(*FORGED[case]))
    assert cache.get(KEY) is None
    (file,) = cache.files()
    assert isinstance(cache.label(file), dict)
    with pytest.raises(StoreError, match="the entry"):
        cache.read(file)


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = JobCache(tmp_path)
    cache.put(KEY, Entry({}, {"x": np.zeros(100_000)}))
    assert cache.get(KEY) is not None
    monkeypatch.setattr(cache_module, "LARGEST", 700_000)
    assert cache.get(KEY) is None


@pytest.mark.skipif(os.name != "posix", reason="there are no pipes in folders")
def test_a_pipe_in_place_of_an_entry_is_not_waited_for(tmp_path: Path) -> None:
    cache = JobCache(tmp_path)
    cache.path(KEY).parent.mkdir(parents=True)
    os.mkfifo(cache.path(KEY))
    assert cache.get(KEY) is None
    assert cache.label(cache.files()[0]) == {}
