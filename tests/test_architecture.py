"""The straight line: a module imports only from the lines above it, and stays small."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "memspice"
LONGEST = 400  # lines
MOST_ENTRIES, MOST_FILES = 26, 10  # directly in the package
#: Top to bottom.
LINE = (
    "errors", "outputs", "inputs", "resources", "quantities", "solver", "datasets", "devices",
    "circuits", "parameters", "engines", "jobs", "store", "analysis", "network", "importers",
    "training", "windows", "experiment", "verification", "plot", "report", "", "cli", "__main__",
)  # fmt: skip
#: Training is an optional extra: it needs little, and nothing needs it.
TRAINING_USES = {
    "errors", "outputs", "inputs", "resources", "quantities", "devices", "parameters", "network",
}  # fmt: skip
#: Where a library may be imported: a prefix of the module's path inside the package.
HOMES = {
    "PySpice": ("circuits/",),
    "torch": ("training/", "importers/torch_sequential.py", "importers/torch_graph.py"),
    "h5py": ("inputs/hdf5_server.py", "store/", "network/weights.py"),
}

#: Modules that are public as they stand, and those of files that a command itself reads and writes.
DOOR = (
    "errors", "plot", "report", "store", "verification", "inputs", "outputs", "outputs.printable",
)  # fmt: skip
#: Calls that put a file in place, and who may make them: what users name goes through outputs; the
#: others fill temporary files and folders of their own, and measure.
WRITES = {"write_text", "write_bytes", "savefig"}
RENAMES = {"replace", "rename", "link"}
MAY_WRITE = (
    "outputs/", "engines/", "datasets/download.py", "store/files.py",
    "store/earlier.py", "plot/style.py",
)  # fmt: skip


def modules(root: Path) -> dict[str, Path]:
    """Return the dotted name and the file of every module of the package."""
    files = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def statements(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def targets(node: ast.Import | ast.ImportFrom, name: str, path: Path) -> list[str]:
    """Return the dotted names that an import statement of module ``name`` may mean."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        parts = name.split(".")
        keep = len(parts) - node.level + (path.name == "__init__.py")
        base = ".".join(parts[:keep] + ([base] if base else []))
    return [f"{base}.{alias.name}" for alias in node.names]


def imports(root: Path) -> dict[str, set[str]]:
    """Return the modules of the package that each of its modules imports, wherever it does."""
    files = modules(root)
    graph: dict[str, set[str]] = {}
    for name, path in files.items():
        found = [t for node in statements(parse(path)) for t in targets(node, name, path)]
        graph[name] = {owner for target in found if (owner := owning_module(target, files))}
    return graph


def owning_module(target: str, files: dict[str, Path]) -> str:
    """Return the module that holds the name ``target``; nothing where it is not ours."""
    if target.split(".")[0] != PACKAGE:
        return ""
    while target not in files and "." in target:
        target = target.rpartition(".")[0]
    return target


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def line_of(module: str) -> str:
    """Return the word that stands for a module in the line: its room."""
    return module.split(".")[1] if "." in module else ""


def find_unplaced(root: Path) -> list[str]:
    return [
        f"{name} has no place in the line" for name in modules(root) if line_of(name) not in LINE
    ]


def find_upward(root: Path) -> list[str]:
    found = []
    for name, used in imports(root).items():
        own = line_of(name)
        for other in sorted(used):
            word = line_of(other)
            if own == word or not {own, word} <= set(LINE):
                continue
            upward = LINE.index(word) > LINE.index(own)
            forbidden = word == "training" or (own == "training" and word not in TRAINING_USES)
            if upward or forbidden:
                found.append(f"{name} imports {other}")
    return found


def find_cycles(root: Path) -> list[str]:
    """Return the modules that reach themselves; on its way an import runs through packages."""
    graph = {
        name: used | {way for other in used for way in packages(other) if way not in packages(name)}
        for name, used in imports(root).items()
    }
    found = []
    for start in graph:
        seen: set[str] = set()
        waiting = graph[start]
        while waiting:
            seen |= waiting
            waiting = {other for name in waiting for other in graph[name]} - seen
        if start in seen:
            found.append(f"{start} imports itself, at last")
    return found


def packages(module: str) -> set[str]:
    """Return the packages that hold a module, and the module, which may be one."""
    parts = module.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts) + 1)}


def find_hidden(root: Path) -> list[str]:
    """Return the imports of the package's own modules inside functions."""
    found = []
    for name, path in modules(root).items():
        for function in ast.walk(parse(path)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                found += [
                    f"{name}:{node.lineno} imports {target} inside {function.name}"
                    for node in statements(function)
                    for target in targets(node, name, path)
                    if target.split(".")[0] == PACKAGE
                ]
    return found


def find_strays(root: Path) -> list[str]:
    """Return the imports of a library outside its home."""
    found = []
    for name, path in modules(root).items():
        inside = path.relative_to(root / PACKAGE).as_posix()
        for node in statements(parse(path)):
            for target in targets(node, name, path):
                library = target.split(".")[0]
                if not inside.startswith(HOMES.get(library, ("",))):
                    found.append(f"{name}:{node.lineno} imports {library}")
    return found


def find_long(root: Path) -> list[str]:
    found = []
    for path in (*(root / PACKAGE).rglob("*.py"), *(root / "tests").rglob("*.py")):
        length = len(path.read_text(encoding="utf-8").splitlines())
        if length > LONGEST:
            found.append(f"{path.relative_to(root)} has {length} lines, more than {LONGEST}")
    return found


def find_crowd(root: Path) -> list[str]:
    """Return what is too much directly in the package: rooms hold the rest."""
    entries = [path for path in (root / PACKAGE).iterdir() if path.name != "__pycache__"]
    files = [path for path in entries if path.is_file()]
    counts = (("files and folders", entries, MOST_ENTRIES), ("files", files, MOST_FILES))
    return [
        f"{PACKAGE} has {len(found)} {what}, more than {most}"
        for what, found, most in counts
        if len(found) > most
    ]


def find_homonyms(root: Path) -> list[str]:
    """Return the class names that mean two things; a leading underscore makes no other name."""
    homes: dict[str, list[str]] = {}
    for name, path in modules(root).items():
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name.lstrip("_"), []).append(name)
    return [
        f"class {name} stands in {' and '.join(found)}"
        for name, found in homes.items()
        if len(found) > 1
    ]


def find_writers(root: Path) -> list[str]:
    """Return the calls that write or rename a file beside the one place that knows the rules."""
    found = []
    for name, path in modules(root).items():
        inside = path.relative_to(root / PACKAGE).as_posix()
        for node in ast.walk(parse(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = node.func.value
            renames = isinstance(owner, ast.Name) and owner.id == "os" and node.func.attr in RENAMES
            if (renames or node.func.attr in WRITES) and not inside.startswith(MAY_WRITE):
                found.append(f"{name}:{node.lineno} calls {node.func.attr}")
    return found


def find_inside(root: Path) -> list[str]:
    """Return imports of the package's insides where its front door is to be used.

    Those of ``experiments/`` and of the Python blocks of pages.
    """
    sources = {str(path): path.read_text(encoding="utf-8") for path in scripts(root)}
    for page in (root / "README.md", *sorted((root / "docs").rglob("*.md"))):
        if page.exists():
            found = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
            sources |= {f"{page}, block {number}": text for number, text in enumerate(found)}
    return [
        f"{place} imports {target}"
        for place, text in sources.items()
        for node in statements(ast.parse(text, place))
        for target in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        + ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
        if target.startswith(f"{PACKAGE}.")
    ]


def find_behind(root: Path) -> list[str]:
    """Return imports of the command line of what is not public.

    It parses, calls the front door, and maps errors to exit codes.
    """
    public = {f"{PACKAGE}.{name}" for name in DOOR}
    return [
        f"{name} imports {other}"
        for name, used in imports(root).items()
        if line_of(name) == "cli"
        for other in sorted(used)
        if line_of(other) not in ("", "cli") and other not in public
    ]


def scripts(root: Path) -> list[Path]:
    return sorted((root / "experiments").rglob("*.py"))


CHECKS = [
    find_inside,
    find_behind,
    find_crowd,
    find_homonyms,
    find_writers,
    find_unplaced,
    find_upward,
    find_cycles,
    find_hidden,
    find_strays,
    find_long,
]
Check = Callable[[Path], list[str]]


@pytest.mark.parametrize("check", CHECKS)
def test_package_keeps_the_rules(check: Check) -> None:
    assert check(ROOT) == []


def test_package_is_read() -> None:
    """The rules hold of something."""
    graph = imports(ROOT)
    assert "memspice.errors" in graph["memspice.quantities"]
    assert "memspice.datasets.download" in graph["memspice.datasets.cifar10"]


def tree(root: Path, **sources: str) -> Path:
    """Write a package; double underscores in a name stand for folders."""
    for name, text in {"errors": "", **sources}.items():
        path = root / PACKAGE / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for folder in path.parents:
            if folder == root:
                break
            (folder / "__init__.py").touch()
    return root


GOOD = {
    "circuits__crossbar": "import PySpice.Spice\nfrom memspice.devices.hazard import law",
    "devices__hazard": "import numpy\nfrom memspice.errors import ConfigError\nfrom . import base",
    "devices__base": "def f():\n    import scipy\n",
    "training__loop": "import torch\nfrom memspice.network import weights",
    "network__weights": "import h5py\nfrom ..errors import ConfigError",
    "store__files": "import h5py as h",
    "cli__main": "from memspice import store\nfrom memspice.cli import waves",
    "cli__waves": "import memspice as ms\nfrom memspice.errors import ConfigError",
    "experiment": "import memspice.store",
}


def test_blocks_of_pages_use_the_front_door(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("```python\nimport memspice as ms\nfrom memspice import cmos\n```\n")
    assert find_inside(tree(tmp_path, **GOOD)) == []
    page.write_text(
        page.read_text().replace("from memspice import", "from memspice.circuits import")
    )
    assert len(find_inside(tmp_path)) == 1


@pytest.mark.parametrize("check", CHECKS)
def test_good_package_passes(check: Check, tmp_path: Path) -> None:
    assert check(tree(tmp_path, **GOOD)) == []


@pytest.mark.parametrize(
    ("check", "name", "source"),
    [
        (find_unplaced, "helpers", ""),
        (find_unplaced, "helpers__text", ""),
        (find_upward, "errors", "import memspice.store"),
        (find_upward, "errors", "from memspice import store"),
        (find_upward, "errors", "from . import store"),
        (find_upward, "errors", "from memspice import __version__"),
        (find_upward, "devices__base", "from ..circuits import crossbar"),
        (find_upward, "devices__base", "from memspice.parameters import x"),
        (find_upward, "devices__base", "def f():\n    from memspice.store import x"),
        (find_upward, "devices__base", "if TYPE_CHECKING:\n    from memspice.store import x"),
        (find_upward, "training__loop", "from memspice.store import write"),
        (find_upward, "store__text", "from memspice import cli"),
        (find_upward, "cli__main", "from memspice.training.loop import train"),
        (find_cycles, "devices__base", "from memspice.devices.hazard import law"),
        (find_cycles, "devices__base", "from . import hazard"),
        (find_cycles, "devices__base", "import memspice.devices.base"),
        (find_hidden, "cli__main", "def f():\n    from memspice.store import x"),
        (find_hidden, "cli__main", "class A:\n    async def f(self):\n        from . import store"),
        (find_strays, "devices__base", "import PySpice"),
        (find_strays, "engines__ngspice", "from PySpice.Spice.Netlist import Circuit"),
        (find_strays, "network__loop", "import torch.nn as nn"),
        (find_strays, "network__loop", "def f():\n    import h5py"),
        (find_strays, "datasets__cifar10", "from h5py import File"),
        (find_inside, "../experiments/ask", "from memspice.network import weights"),
        (find_inside, "../experiments/ask", "import memspice.store"),
        (find_behind, "cli__main", "from memspice.store.files import RunFile"),
        (find_behind, "cli__main", "from memspice.devices import hazard"),
        (find_writers, "cli", "def f(path):\n    path.write_text('')"),
        (find_writers, "devices__base", "import os\nos.replace('a', 'b')"),
        (find_homonyms, "store__text", "class Law:\n    pass\n\n\nclass _Law:\n    pass"),
        (find_long, "cli__main", "\n" * 401),
        (find_long, "../tests/test_x", "\n" * 401),
    ],
)
def test_violation_is_found(check: Check, name: str, source: str, tmp_path: Path) -> None:
    stubs = {"parameters": "", "engines__ngspice": "", "network__loop": "", "datasets__cifar10": ""}
    (tmp_path / "tests").mkdir()
    root = tree(tmp_path, **{**stubs, **GOOD})
    assert check(root) == []
    tree(tmp_path, **{name: source})
    assert check(root)


def test_an_import_runs_through_its_package(tmp_path: Path) -> None:
    root = tree(tmp_path, devices__laws__fast="", devices__base="from .laws.fast import x")
    assert find_cycles(root) == []
    (root / PACKAGE / "devices/laws/__init__.py").write_text("from ..base import y")
    assert find_cycles(root)


@pytest.mark.parametrize(
    "names", [[f"file{n}.py" for n in range(10)], [f"room{n}/__init__.py" for n in range(26)]]
)
def test_package_has_few_entries(names: list[str], tmp_path: Path) -> None:
    for name in ["errors.py", *names[1:]]:
        path = tmp_path / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert find_crowd(tmp_path) == []
    (tmp_path / PACKAGE / "one_more.py").touch()
    assert find_crowd(tmp_path)


def test_400_lines_are_allowed(tmp_path: Path) -> None:
    assert find_long(tree(tmp_path, cli__main="\n" * 400)) == []
