"""Pages of the public names of the package, one a name, from their docstrings."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

import memspice
from docs.code.markdown import cell, table


def pages() -> dict[str, str]:
    """Text of the list of names and of the page of each."""
    found, rows = {}, []
    for name in memspice.__all__:
        item = getattr(memspice, name)
        rows.append((f"[{name}](python/{name}.md)", cell(summary(item))))
        found[f"python/{name}.md"] = page(name, item)
    entries = "\n".join(f"python/{name}" for name in memspice.__all__)
    head = (
        "# Python names\n\nAll of them after `import memspice as ms`; how they go together is in "
        "[From Python](../../python.md)."
    )
    toctree = f"```{{toctree}}\n:hidden:\n\n{entries}\n```"
    found["python.md"] = "\n\n".join([head, table(("name", "what it is"), rows), toctree])
    return found


def summary(item: object) -> str:
    """First paragraph of a docstring."""
    return (inspect.getdoc(item) or "").partition("\n\n")[0]


def page(name: str, item: object) -> str:
    """Page of one name; of a module with all its public names."""
    if isinstance(item, ModuleType):
        parts = [f".. automodule:: memspice.{item.__name__.removeprefix('memspice.')}"]
        parts += [directive(f"{item.__name__}.{part}", found) for part, found in members(item)]
    else:
        parts = [directive(f"memspice.{name}", item)]
    text = "\n\n".join(parts)
    return f"# {name}\n\n```{{eval-rst}}\n{text}\n```"


def members(module: ModuleType) -> list[tuple[str, object]]:
    """Public functions and classes of a module: defined in it, or imported ``as`` what they are."""
    lent = _imported(module) - _passed_on(module)
    found = [
        (name, item)
        for name, item in vars(module).items()
        if not name.startswith("_") and name not in lent
    ]
    return [
        (name, item)
        for name, item in found
        if (inspect.isclass(item) or inspect.isfunction(item))
        and item.__module__.startswith("memspice.")
    ]


def _imported(module: ModuleType) -> set[str]:
    """Names that a module takes from others."""
    return {alias.asname or alias.name for alias in _aliases(module)}


def _passed_on(module: ModuleType) -> set[str]:
    """Names that it takes to offer them, ``import X as X``."""
    return {alias.name for alias in _aliases(module) if alias.asname == alias.name}


def _aliases(module: ModuleType) -> list[ast.alias]:
    """What a module imports from others."""
    nodes = ast.walk(ast.parse(inspect.getsource(module)))
    return [alias for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]


def directive(name: str, item: object) -> str:
    """What tells Sphinx to write down a name from its docstring."""
    if inspect.isclass(item):
        return f".. autoclass:: {name}\n   :members:\n   :inherited-members: BaseModel, Exception"
    return f".. auto{'function' if callable(item) else 'data'}:: {name}"
