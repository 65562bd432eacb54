"""Commands that are imported when they are called.

The libraries of a command take a second of imports, which ``--version``, ``--help`` and every other
command do without.
"""

from __future__ import annotations

import importlib

import click

from memspice.cli.stop import left_at_once


class LaterCommand(click.Command):
    """Stand-in for a command: its name and its line in the help of its group.

    Parameters
    ----------
    name : str
        As the user types it.
    home : str
        Where the command is: ``package.module:attribute``.
    short_help : str
        What the help of its group says of it: the first sentence of its own help.
    """

    def __init__(self, name: str, home: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self.home = home

    def load(self) -> click.Command:
        """Command itself."""
        module, _, attribute = self.home.partition(":")
        with left_at_once():
            command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


def import_library() -> None:
    """Import what simulates, once a command line is understood and before it does anything."""
    with left_at_once():
        importlib.import_module("memspice.experiment.chip")


class LaterGroup(click.Group):
    """Group of commands of which only the one that is called is imported."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LaterCommand) else command, rest
