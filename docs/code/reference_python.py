"""Pages of the public names of the package, one a name, from their docstrings."""

from __future__ import annotations

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
    """Public functions and classes of a module, as they are listed in it."""
    found = [(name, item) for name, item in vars(module).items() if not name.startswith("_")]
    return [
        (name, item)
        for name, item in found
        if (inspect.isclass(item) or inspect.isfunction(item))
        and item.__module__.startswith("memspice.")
    ]


def directive(name: str, item: object) -> str:
    """What tells Sphinx to write down a name from its docstring."""
    if inspect.isclass(item):
        return f".. autoclass:: {name}\n   :members:\n   :inherited-members: BaseModel, Exception"
    return f".. auto{'function' if callable(item) else 'data'}:: {name}"
