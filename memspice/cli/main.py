"""Command line: names the commands, and turns errors into messages and exit codes."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import NoReturn

import click

from memspice.cli.answer import ANSWER
from memspice.cli.failure import EXPECTED, CommandFailure, failure
from memspice.cli.later import LaterCommand, LaterGroup
from memspice.cli.output import drop_unwritten, emit_list, settle_streams
from memspice.cli.stop import stopped_once
from memspice.errors import ConfigError, IncompleteResults

#: Name, home and line of help of every command; `tests/unit/test_start_up.py` compares the lines.
COMMANDS = (
    ("simulate-layer", "layer:simulate_layer_command", "Simulate windows of one LAYER."),
    ("infer", "infer:infer_command", "Classify images: spiking network beside ANN."),
    ("cosim", "cosim:cosim_command", "Energy of a network, calibrated by SPICE."),
    ("characterize", "characterize:characterize_command", "Compare P(V) of SPICE and closed form."),
    ("fit", "fit:fit_command", "Fit laws of switching to POINTS, a CSV file."),
    (
        "sweep",
        "sweep:sweep_command",
        "Simulate LAYER, or the whole network, at every point of a grid.",
    ),
    (
        "export",
        "export:export_command",
        "Write what circuits taught of a network, or of one LAYER.",
    ),
    ("netlist", "netlist:netlist_command", "Write the example netlist NAME, or list the names."),
    ("verify", "verify:verify_command", "Run the same decks on every engine and compare."),
    ("waves", "waves:waves", "Look at stored waveforms, events, energies and netlists."),
    ("cache", "cache:cache_group", "Look after the results that need not be simulated again."),
    ("train", "train:train_command", "Train NETWORK with the device's activation."),
    ("convert", "convert:convert_command", "Make a network file of MODEL.nir, a NIR graph."),
    ("doctor", "doctor:doctor_command", "Check engines, parameter sets and networks."),
)


@click.group(
    cls=LaterGroup,
    commands=[LaterCommand(name, f"memspice.cli.{home}", line) for name, home, line in COMMANDS],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="memspice", prog_name="memspice")
def cli() -> None:
    """Circuit-level SPICE co-simulation of memristive deep spiking networks."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exit codes as in the README.

    Parameters
    ----------
    arguments : list of str, optional
        Instead of those of the process.
    """
    run_command(cli, arguments, "memspice")


def run_command(command: click.Command, arguments: list[str] | None, program: str) -> None:
    """Run a command with every error as one message and an exit code.

    Parameters
    ----------
    command : click.Command
        What to run.
    arguments : list of str or None
        Instead of those of the process.
    program : str
        Its name in help and messages of usage.
    """
    settle_streams()
    ANSWER.begin(sys.argv[1:] if arguments is None else arguments)
    if sys.platform == "win32":
        _end(ConfigError("memspice runs on Linux and macOS; on Windows run it in WSL"))
    try:
        with stopped_once():
            command.main(args=arguments, prog_name=program, standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except EXPECTED as error:
        _end(error)
    except Exception as error:
        _answer(failure(error))
        raise  # with its traceback, for a report


def _end(error: BaseException) -> NoReturn:
    """Say what went wrong, once as JSON where that was asked for, and end the process."""
    found = failure(error)
    if isinstance(error, OSError):
        drop_unwritten()
    with suppress(OSError):  # as of a full disk: the exit code says it
        if isinstance(error, click.ClickException):
            error.show()  # with the usage
        else:
            click.echo(f"memspice: {found.message}", err=True)
    _answer(found)
    sys.exit(found.exit_code)


def _answer(found: CommandFailure) -> None:
    """Print a failure as the JSON object that is owed, if one is."""
    if ANSWER.give():
        with suppress(IncompleteResults):  # where nothing can be printed, the exit code says it
            emit_list(json.dumps({"error": found.as_json()}))
