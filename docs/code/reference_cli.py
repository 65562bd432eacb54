"""Reference of the command line, from click's own description of every command."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from docs.code.markdown import cell, table
from memspice.cli.main import cli


def pages() -> dict[str, str]:
    """Text of the page, by its name."""
    parts = ["# Command line", cell(cli.help or ""), "`memspice COMMAND --help` says the same."]
    for path, command in commands(cli, "memspice"):
        parts += section(path, command)
    return {"command-line.md": "\n\n".join(parts)}


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name; a group before its members."""
    context = click.Context(group)
    for name in group.commands:
        _, command, _ = group.resolve_command(context, [name])
        assert command
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def section(path: str, command: click.Command) -> list[str]:
    """Heading, usage, help and options of one command."""
    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    parts = [f"## {path}", f"```text\n{path} {usage}\n```", paragraphs(command.help or "")]
    rows = [option_row(item, context) for item in command.params if isinstance(item, click.Option)]
    if rows:
        parts.append(table(("option", "default", "meaning"), rows))
    return parts


def paragraphs(text: str) -> str:
    """Help as Markdown: paragraphs stay, lines within them are joined."""
    return "\n\n".join(cell(" ".join(part.split())) for part in re.split(r"\n\s*\n", text))


def option_row(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    """Names with the form of the value, default, and meaning of one option."""
    names = ", ".join([*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" {option.make_metavar(context)}"
    default = option.get_default(context)
    shown = "" if option.is_flag or option.multiple or not plain(default) else f"`{default}`"
    return f"`{names}{value}`".replace("|", "\\|"), shown, cell(option.help or "")


def plain(default: object) -> bool:
    """Whether a default is a value that a user could type."""
    return isinstance(default, str | int | float)
