"""How a Dask scheduler may be named: as Dask itself takes it, or by the file that it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from memspice.errors import ConfigError
from memspice.jobs import Execution
from memspice.jobs.cluster import scheduler_address


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("tcp://host:8786", "tcp://host:8786"),
        ("tcp://127.0.0.1:8786/", "tcp://127.0.0.1:8786"),
        ("host:8786", "tcp://host:8786"),
        ("tls://a.b-c.org:1", "tls://a.b-c.org:1"),
        ("[::1]:8786", "tcp://[::1]:8786"),
        ("tcp://[fe80::1%eth0]:65535", "tcp://[fe80::1%eth0]:65535"),
    ],
)
def test_addresses_as_dask_takes_them(name: str, address: str) -> None:
    assert scheduler_address(name) == address


@pytest.mark.parametrize("name", ["host", "host:", ":8786", "tcp://", "h:65536", "h:1/x", "a b:1"])
def test_what_is_no_address_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="is unknown: use local|no Dask scheduler answers at"):
        scheduler_address(name)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"address": "tcp://h:1"}', ""),
        (b"", "is no JSON"),
        (b'{"address": "tcp://h:1"', "is no JSON"),
        (b"\xff", "is no JSON"),
        (b"[1]", "holds no address"),
        (b'{"address": 7}', "holds no address"),
        (b'{"address": "tcp://h"}', "holds no address"),
        (None, "does not exist"),
    ],
)
def test_a_scheduler_file_is_read_or_refused(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "s.json"
    if content is not None:
        path.write_bytes(content)
    if not words:
        assert scheduler_address(str(path)) == "tcp://h:1"
        return
    with pytest.raises(ConfigError, match=words):
        Execution(scheduler=str(path)).check()
    with pytest.raises(ConfigError, match="is a folder"):
        scheduler_address(str(tmp_path))
