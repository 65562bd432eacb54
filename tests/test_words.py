"""How code reads: no row of values without names, and docstrings that say what a thing is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.test_architecture import ROOT, modules, parse

#: Values that a call may give by their place alone: more cannot be told apart where they stand.
MOST_PLACES = 5
#: First words that point away from a thing instead of naming it; of classes also questions.
VAGUE = {"as", "same", "likewise", "see", "of", "do", "does", "it", "this", "and", "also"}
QUESTIONS = {"what", "where", "when", "which", "why", "how", "whether", "who"}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(tree: ast.AST) -> Iterator[Definition]:
    return (node for node in ast.walk(tree) if isinstance(node, Definition))


def named(trees: list[ast.Module]) -> set[str]:
    """Return what takes values that all have names: of another's library it may be any number."""
    nodes = [node for tree in trees for node in definitions(tree)]
    own = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    found = set()
    for node in nodes:
        bases = node.bases if isinstance(node, ast.ClassDef) else []
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        takes_any = any(isinstance(f, ast.FunctionDef) and f.args.vararg for f in inside)
        if not takes_any and all(isinstance(b, ast.Name) and b.id in own for b in bases):
            found.add(node.name)
    return found


def nameless(root: Path) -> list[str]:
    """Return the calls that give many values by their places."""
    trees = {name: parse(path) for name, path in modules(root).items()}
    known = named(list(trees.values()))
    return [
        f"{name}:{call.lineno} gives {call.func.id} {len(call.args)} values without names"
        for name, tree in trees.items()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in known
        and len(call.args) > MOST_PLACES
    ]


def riddles(root: Path) -> list[str]:
    """Return the docstrings that do not begin with what the thing is."""
    found = []
    for name, path in modules(root).items():
        for node in definitions(parse(path)):
            text = ast.get_docstring(node)
            if not text or node.name.startswith("_"):
                continue
            refused = VAGUE | (QUESTIONS if isinstance(node, ast.ClassDef) else set())
            if text.split()[0].lower() in refused:
                found.append(f"{name}:{node.lineno} {node.name}: {text.splitlines()[0]}")
    return found


def test_values_have_names() -> None:
    assert nameless(ROOT) == []


def test_docstrings_begin_with_what_the_thing_is() -> None:
    assert riddles(ROOT) == []


def test_what_breaks_the_rules_is_found(tmp_path: Path) -> None:
    path = tmp_path / "memspice" / "a.py"
    path.parent.mkdir()
    path.write_text('def f(*x):\n    """As g."""\n\n\nf(1, 2, 3, 4, 5, 6)\n')
    assert nameless(tmp_path) == []
    assert len(riddles(tmp_path)) == 1
    path.write_text('class F:\n    """What it is."""\n\n\nF(1, 2, 3, 4, 5, 6)\nF(1, 2, 3, 4, 5)\n')
    assert len(nameless(tmp_path)) == len(riddles(tmp_path)) == 1
