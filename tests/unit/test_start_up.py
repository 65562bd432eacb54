"""What a command imports before it does anything: nobody waits for what he does not use."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from memspice.cli.later import LaterCommand
from memspice.cli.main import cli
from tests.cli_helpers import DIGITS

#: Runs a command line and then prints the modules that it needed.
PROGRAM = """
import sys
from memspice.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as stop:
    assert not stop.code, stop.code
print(*sys.modules, file=sys.stderr)
"""
#: What takes longest to import, and what no command needs before it draws, integrates or fits.
SLOW = {"scipy.stats", "scipy.integrate", "scipy.constants", "scipy.optimize", "sklearn"}
FIGURES = {"matplotlib.figure"}


def imported(code: str, *arguments: str) -> set[str]:
    """Modules of a process that ran the code."""
    found = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return set(found.stderr.split())


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_import_no_library_but_click(option: str) -> None:
    found = {name.partition(".")[0] for name in imported(PROGRAM, option)}
    standard = sys.stdlib_module_names | {"__main__", "sitecustomize", "usercustomize"}
    assert {name for name in found - standard if not name.startswith("_")} == {"memspice", "click"}


@pytest.mark.parametrize("command", ["simulate-layer", "infer", "cosim", "characterize", "convert"])
def test_help_of_a_command_imports_nothing_that_simulates(command: str) -> None:
    found = {name.partition(".")[0] for name in imported(PROGRAM, command, "--help")}
    assert "click" in found
    assert not {"numpy", "scipy", "h5py", "pydantic", "matplotlib"} & found


def test_package_imports_no_library() -> None:
    found = imported("import memspice, sys; print(*sys.modules, file=sys.stderr)")
    assert "memspice" in found
    assert not {"numpy", "scipy", "click", "h5py", "pydantic"} & found


@pytest.mark.parametrize(
    "arguments",
    [
        ("simulate-layer", "--help"),
        ("cosim", "--help"),
        ("characterize", "--help"),
        ("waves", "--help"),
        ("simulate-layer", *DIGITS, "--fidelity", "surrogate", "--cycles", "1"),
        ("infer", *DIGITS, "--images", "1", "--cycles", "1"),
    ],
)
def test_commands_import_neither_statistics_nor_integrators(arguments: tuple[str, ...]) -> None:
    assert not (SLOW | FIGURES) & imported(PROGRAM, *arguments)


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_help_of_the_program_says_what_the_command_says(name: str) -> None:
    later = cli.commands[name]
    assert isinstance(later, LaterCommand)
    command = later.load()
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help
    assert later.get_short_help_str(80) == command.get_short_help_str(80)
