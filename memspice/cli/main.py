"""Command line: names the commands, maps errors to exit codes."""

from __future__ import annotations

import sys

import click

from memspice.cli.later import LaterCommand, LaterGroup
from memspice.cli.output import drop_unwritten, settle_streams
from memspice.cli.stop import stopped_once
from memspice.errors import (
    ConfigError,
    EngineError,
    EngineNotFound,
    EngineVersionError,
    IncompleteResults,
    MemspiceError,
    NetlistError,
    StoreError,
)
from memspice.outputs import printable

#: First match wins; what is not listed is a failed simulation.
EXIT_CODES: tuple[tuple[type[MemspiceError], int], ...] = (
    (ConfigError, 2),
    (EngineNotFound, 3),
    (EngineVersionError, 3),
    (NetlistError, 4),
    (EngineError, 4),
    (StoreError, 5),
    (IncompleteResults, 5),
)
INCOMPLETE = 5


#: Name, home and line of help of every command; `tests/unit/test_start_up.py` compares the lines.
COMMANDS = (
    ("simulate-layer", "layer:simulate_layer_command", "Simulate windows of one LAYER."),
    ("infer", "infer:infer_command", "Classify images: spiking network beside ANN."),
    ("cosim", "cosim:cosim_command", "Energy of a network, calibrated by SPICE."),
    ("characterize", "characterize:characterize_command", "Compare P(V) of SPICE and closed form."),
    ("netlist", "netlist:netlist_command", "Write the example netlist NAME, or list the names."),
    ("verify", "verify:verify_command", "Run the same decks on every engine and compare."),
    ("waves", "waves:waves", "Look at stored waveforms, events, energies and netlists."),
    ("cache", "cache:cache", "Look after the results that need not be simulated again."),
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
    if sys.platform == "win32":
        _fail(SystemExit(), "memspice runs on Linux and macOS; on Windows run it in WSL")
        sys.exit(2)
    try:
        with stopped_once():
            command.main(args=arguments, prog_name=program, standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort) as stop:
        # click puts an Abort in the place of the interrupt
        _fail(stop.__cause__ or stop, "interrupted")
        sys.exit(INCOMPLETE)
    except MemspiceError as error:
        _fail(error, str(error))
        sys.exit(exit_code(error))
    except MemoryError as error:
        _fail(error, f"not enough memory ({str(error) or 'none is left'}): ask for less at once")
        sys.exit(INCOMPLETE)
    except OSError as error:
        drop_unwritten()
        where, what = error.filename or "writing or reading a file", error.strerror or error
        _fail(error, f"{where}: {what}; check the path, the rights and the space left")
        sys.exit(INCOMPLETE)


def _fail(error: BaseException, message: str) -> None:
    """Say what went wrong, and below it what those said who let the error pass."""
    said = "\n".join([f"memspice: {message}", *getattr(error, "__notes__", ())])
    click.echo(printable(said, lines=True), err=True)


def exit_code(error: MemspiceError) -> int:
    """Exit code of an error."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 4)
