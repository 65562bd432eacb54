"""The files of memspice are found in a wheel's place first, then in the checkout."""

from __future__ import annotations

import errno
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from memspice import resources
from memspice.errors import DataError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "memspice"
    folder.mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", folder)
    return folder


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_checkout_is_used_without_a_wheel(package: Path) -> None:
    file = write(package.parent / "models" / "networks" / "a.h5")
    assert resources.resource_path("networks", "a.h5") == file


def test_wheel_goes_before_the_checkout(package: Path) -> None:
    write(package.parent / "models" / "a.toml")
    file = write(package / "models" / "a.toml")
    assert resources.resource_path("a.toml") == file


def test_folder_is_found_too(package: Path) -> None:
    file = write(package / "models" / "networks" / "a.h5")
    assert resources.resource_path("networks") == file.parent


def test_missing_file_names_both_places(package: Path) -> None:
    with pytest.raises(DataError, match=r"models/no\.toml is in neither") as caught:
        resources.resource_path("no.toml")
    for base in (package, package.parent):
        assert str(base / "models" / "no.toml") in str(caught.value)


def test_space_is_advised_only_where_it_is_missing() -> None:
    folder = "set TMPDIR to a folder that can be written"
    assert resources.write_advice(OSError(errno.EACCES, "denied"), "TMPDIR") == folder
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        advice = resources.write_advice(OSError(code, "full"), "TMPDIR")
        assert advice == f"free some space, or {folder}"


@pytest.mark.slow
def test_wheel_carries_code_and_models(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    build = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert build.returncode == 0, build.stderr
    (wheel,) = tmp_path.glob("memspice-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    models = {path for path in (ROOT / "models").rglob("*") if path.is_file()}
    assert models
    assert {f"memspice/{path.relative_to(ROOT).as_posix()}" for path in models} <= names
    assert {"memspice/errors.py", "memspice/resources.py"} <= names
    assert not [name for name in names if name.startswith(("models", "tests", "results"))]
