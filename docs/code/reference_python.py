"""Pages of the public names of the package, one a name, from their docstrings."""

from __future__ import annotations

import inspect

import memspice
from docs.code.markdown import cell, table

NAMES = getattr(memspice, "__all__", None) or sorted(memspice._HOMES)


def pages() -> dict[str, str]:
    """Text of the list of names and of the page of each."""
    found, rows = {}, []
    for name in NAMES:
        item = getattr(memspice, name)
        summary = (inspect.getdoc(item) or "").partition("\n\n")[0]
        rows.append((f"[{name}](python/{name}.md)", cell(summary)))
        found[f"python/{name}.md"] = page(name, item)
    entries = "\n".join(f"python/{name}" for name in NAMES)
    head = "# Python names\n\nAll of them after `import memspice as ms`."
    toctree = f"```{{toctree}}\n:hidden:\n\n{entries}\n```"
    found["python.md"] = "\n\n".join([head, table(("name", "what it is"), rows), toctree])
    return found


def page(name: str, item: object) -> str:
    """Page of one name."""
    kind = "class" if inspect.isclass(item) else "function" if callable(item) else "data"
    members = "\n   :members:\n   :inherited-members: BaseModel" if kind == "class" else ""
    if inspect.ismodule(item):
        kind, members = "module", "\n   :members:"
    return f"# {name}\n\n```{{eval-rst}}\n.. auto{kind}:: memspice.{name}{members}\n```"
