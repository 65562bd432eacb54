"""What the pages tell a first-time user to type is typed here, and prints what they show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from docs.code import reference_cli, reference_limits, reference_parameters
from docs.code.blocks import (
    ELLIPSIS,
    LANGUAGES,
    Output,
    PageError,
    alike,
    blocks,
    differences,
    rewritten,
    run_page,
)
from memspice.analysis.assumed import CIRCUIT_CONSTANTS
from memspice.cli.main import cli
from memspice.experiment.summary import EXCLUDED
from memspice.parameters import PARAMETER_SETS, load_parameter_set

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/first-half-hour.md", "docs/python.md")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.ngspice
def test_every_block_of_the_first_pages_prints_what_they_show(tmp_path: Path) -> None:
    """In one test: what both show is simulated once, and cached."""
    for name in PAGES:
        folder = tmp_path / Path(name).stem
        folder.mkdir()
        outputs = run_page(text(name), folder)
        assert len(outputs) >= 2
        found = {output.command: lines for output in outputs if (lines := differences(output))}
        assert found == {}, f"python -m docs.code.blocks --write {name}"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_excuses_blocks_with_a_reason(name: str) -> None:
    listed = [block for block in blocks(text(name)) if block.language in LANGUAGES]
    excused = [block for block in listed if block.note == "not run"]
    assert len(excused) < len(listed) / 2
    assert all(len(block.words) > 10 for block in excused)


# --- the runner itself ----------------------------------------------------------------------------

PAGE = """
<!-- file: numbers.txt -->

```text
3 4
```

```python
import re
import shlex
from pathlib import Path

a, b = map(int, Path("numbers.txt").read_text().split())
print((a * a + b * b) ** 0.5)
```

```text
5.0
```
"""


def test_blocks_share_a_folder_and_names(tmp_path: Path) -> None:
    (output,) = run_page(PAGE, tmp_path)
    assert output.printed == "5.0\n"
    assert differences(output) == []


def test_another_number_is_found_and_can_be_written(tmp_path: Path) -> None:
    page = PAGE.replace("5.0", "6.0")
    outputs = run_page(page, tmp_path)
    assert differences(outputs[0]) == ["6.0\n  but prints\n5.0"]
    assert rewritten(page, outputs) == PAGE


@pytest.mark.parametrize(
    "page",
    [
        "```python\n1 / 0\n```\n",
        "```python\nprint(1)\n```\n",
        "```console\n$ rm -rf folder\n```\n",
        "```console\n$ memspice waves ls nowhere.h5\n```\n",
    ],
)
def test_a_block_that_fails_or_prints_unseen_is_an_error(page: str, tmp_path: Path) -> None:
    with pytest.raises(PageError):
        run_page(page, tmp_path)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("  1 windows, 256 events, 2.7 s", "  1 windows, 256 events, 13.0 s"),
        ("reduced on ngspice 39", "reduced on ngspice 44.2"),
        ("  sense          1.31 nJ   97.50%", "  sense          1.32 nJ   97.51%"),
        ("  closure     2.8e-05", "  closure     1.1e-05"),
    ],
)
def test_times_and_last_digits_may_differ(shown: str, printed: str) -> None:
    assert alike(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("  spikes      116", "  spikes      117"),
        ("  sense          1.31 nJ", "  sense          1.33 nJ"),
        ("  sense          1.31 nJ", "  sense          1.31 pJ"),
        ("  closure     2.8e-05", "  closure     2.8e-03"),
        ("  0 spikes differ", "  spikes differ"),
    ],
)
def test_other_numbers_units_and_words_are_told_apart(shown: str, printed: str) -> None:
    assert not alike(shown, printed)


def test_lines_that_are_left_out_are_any(tmp_path: Path) -> None:
    output = Output("$ memspice x", f"first\n{ELLIPSIS}\nlast\n", "first\na\nb\nlast\n", 0, 0)
    assert differences(output) == []


# --- commands that are only named -----------------------------------------------------------------

PLACES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TYPED = sorted(
    {
        line
        for path in PLACES
        if "generated" not in path.parts
        for line in re.findall(
            r"^(?: {4}|\$ )memspice ((?:.*\\\n)*.+)$", path.read_text("utf-8"), re.MULTILINE
        )
        if "(" not in line  # the heading of a table that was printed
    }
)


def test_pages_show_every_command() -> None:
    assert {shlex.split(line)[0] for line in TYPED} == set(cli.commands)


@pytest.mark.parametrize("line", TYPED)
def test_a_command_of_a_page_is_understood(line: str) -> None:
    command: click.Command | None = cli
    arguments = shlex.split(line.replace("\\\n", " "), comments=True)
    while isinstance(command, click.Group):
        _, command, arguments = command.resolve_command(click.Context(command), arguments)
    assert command
    command.make_context("memspice", arguments)  # parses, and does not run


# --- reference that is written from the code ------------------------------------------------------


def test_reference_has_every_table_of_the_shipped_sets() -> None:
    text = reference_parameters.pages()["parameters.md"]
    for name in PARAMETER_SETS:
        for value in load_parameter_set(name).provenance:
            section = text.partition(f"## [{value.table}]\n")[2].partition("\n## ")[0]
            assert f"| `{value.name}` |" in section, f"{value.table}.{value.name}"


def test_reference_has_every_command_and_option() -> None:
    text = reference_cli.pages()["command-line.md"]
    for path, command in reference_cli.commands(cli, "memspice"):
        section = text.partition(f"## {path}\n")[2].partition("\n## ")[0]
        for option in command.params:
            assert not isinstance(option, click.Option) or option.opts[0] in section


def test_what_is_left_out_is_on_its_page() -> None:
    pages = reference_limits.pages()
    assert all(name in pages["assumed.md"] for name in CIRCUIT_CONSTANTS)
    assert pages["excluded.md"].count("\n- ") + 1 == len(EXCLUDED)
