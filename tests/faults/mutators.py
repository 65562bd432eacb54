"""Seeded damage: to the bytes of a file, to what an HDF5 file holds, to the words of a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Random = np.random.Generator

# --- bytes ------------------------------------------------------------------------------------


def flip(rng: Random, data: bytearray) -> None:
    """One byte becomes another."""
    data[rng.integers(len(data))] ^= int(rng.integers(1, 256))


def bit(rng: Random, data: bytearray) -> None:
    data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))


def truncate(rng: Random, data: bytearray) -> None:
    del data[int(rng.integers(len(data))) :]


def extend(rng: Random, data: bytearray) -> None:
    data += rng.bytes(int(rng.integers(1, 5000)))


def swap(rng: Random, data: bytearray) -> None:
    """Two blocks change their places."""
    size = int(rng.integers(1, max(2, len(data) // 4)))
    one, other = sorted(int(p) for p in rng.integers(0, len(data) - size, 2))
    first, second = data[one : one + size], data[other : other + size]
    data[one : one + size] = second
    data[other : other + size] = first


def zeros(rng: Random, data: bytearray) -> None:
    start, size = int(rng.integers(len(data))), int(rng.integers(1, 600))
    data[start : start + size] = bytes(min(size, len(data) - start))


def noise(rng: Random, data: bytearray) -> None:
    start = int(rng.integers(len(data)))
    size = min(int(rng.integers(2, 64)), len(data) - start)
    data[start : start + size] = rng.bytes(size)


def repeat(rng: Random, data: bytearray) -> None:
    """A block stands twice."""
    start, size = int(rng.integers(len(data))), int(rng.integers(1, 400))
    data[start:start] = data[start : start + size]


BYTES: tuple[Callable[[Random, bytearray], None], ...] = (
    flip, flip, flip, bit, truncate, extend, swap, zeros, noise, repeat,
)  # fmt: skip

# --- HDF5 -------------------------------------------------------------------------------------

ESCAPES = "\x1b[31mred\x1b]0;title\x07\n\u202e\u2028name"
#: What may stand in the place of a number or a text.
VALUES: tuple[Any, ...] = (
    0, 1, -1, 7, 2**62, -(2**63), 0.5, 1e300, 8e296, -1e9, float("nan"), float("inf"), "", "x",
    ESCAPES, "a" * 5000, "{", "[" * 2000, True, np.zeros(3), np.zeros((2, 2)),
    np.zeros((), [("a", "i4")]), h5py.Empty("f8"), 1j, np.float16(1), np.int8(3),
    np.bytes_(b"\xff"),
)  # fmt: skip


def _objects(file: h5py.File) -> list[str]:
    found: list[str] = []
    file.visit(found.append)
    return found


def _datasets(file: h5py.File) -> list[str]:
    return [name for name in _objects(file) if isinstance(file.get(name), h5py.Dataset)]


def _choice(rng: Random, names: Any) -> Any:
    return names[int(rng.integers(len(names)))]


def _replace(file: h5py.File, name: str, value: Any) -> None:
    """Put another dataset in the place of one, with its attributes."""
    kept = dict(file[name].attrs)
    del file[name]
    file[name] = value
    file[name].attrs.update(kept)


def remove(rng: Random, file: h5py.File) -> None:
    del file[_choice(rng, _objects(file))]


def rename(rng: Random, file: h5py.File) -> None:
    name = _choice(rng, _objects(file))
    new = _choice(rng, ["other", ESCAPES, "time", "key", ".hidden", "key" * 200])
    file.move(name, f"{name.rpartition('/')[0]}/{new}")


def add(rng: Random, file: h5py.File) -> None:
    place = _choice(rng, ["/", *_objects(file)])
    group = file[place] if isinstance(file[place], h5py.Group) else file[place].parent
    group[_choice(rng, ["added", "layer9", ESCAPES, "energy9"])] = np.arange(3.0)


def remove_attribute(rng: Random, file: h5py.File) -> None:
    owner = _owner(rng, file)
    del owner.attrs[_choice(rng, list(owner.attrs))]


def change_attribute(rng: Random, file: h5py.File) -> None:
    owner = _owner(rng, file)
    owner.attrs[_choice(rng, list(owner.attrs))] = _choice(rng, VALUES)


def add_attribute(rng: Random, file: h5py.File) -> None:
    _owner(rng, file).attrs[_choice(rng, ["status", "error", ESCAPES, "key", "units"])] = _choice(
        rng, VALUES
    )


def _owner(rng: Random, file: h5py.File) -> Any:
    owners = [file[n] for n in ["/", *_objects(file)] if len(file[n].attrs)]
    return _choice(rng, owners or [file])


def retype(rng: Random, file: h5py.File) -> None:
    name = _choice(rng, _datasets(file))
    if file[name].dtype.kind in "biuf":
        kind = _choice(rng, ["f4", "f2", ">f8", "i8", "i1", "u8", "c16", "S8"])
        _replace(file, name, file[name][()].astype(kind))
    else:
        _replace(file, name, 1.0)


def reshape(rng: Random, file: h5py.File) -> None:
    name = _choice(rng, _datasets(file))
    values = file[name][()]
    shaped = [
        np.atleast_2d(values),
        np.ravel(values)[:-1],
        np.repeat(values, 2),
        np.ravel(values)[:0],
    ]
    if values.dtype.kind in "biuf":
        _replace(file, name, _choice(rng, shaped))
    else:
        _replace(file, name, "other text")


def number(rng: Random, file: h5py.File) -> None:
    """One number of a dataset becomes another."""
    name = _choice(rng, _datasets(file))
    values = file[name][()]
    if values.dtype.kind not in "biuf" or not values.size:
        _replace(file, name, _choice(rng, ["", ESCAPES, "Affine", "x" * 3000]))
        return
    values = np.array(values)
    new = _choice(rng, [0, 1, -1, 99, 1e300, np.nan, np.inf, -np.inf, 1e-300, 0.123])
    with np.errstate(all="ignore"):
        values.reshape(-1)[rng.integers(values.size)] = np.asarray(new).astype(values.dtype)
    _replace(file, name, values)


def other_kind(rng: Random, file: h5py.File) -> None:
    """A dataset becomes a group, a link, or of a type that is not read."""
    name = _choice(rng, _objects(file))
    parent, leaf = file[name].parent, name.rpartition("/")[2]
    kind = int(rng.integers(9))
    kept = dict(file[name].attrs) if isinstance(file[name], h5py.Dataset) else {}
    del file[name]
    if kind == 0:
        parent.create_group(leaf)
    elif kind == 1:
        parent[leaf] = h5py.SoftLink(_choice(rng, ["/", "/nowhere", parent.name]))
    elif kind == 2:
        parent[leaf] = h5py.ExternalLink(_choice(rng, ["/etc/passwd", "nowhere.h5"]), "/")
    elif kind == 3:
        parent[leaf] = parent  # a circle
    elif kind == 4:
        parent.create_dataset(leaf, (1 << 36,), "f8", chunks=(1 << 16,)).attrs.update(kept)
    elif kind == 5:
        parent.create_dataset(leaf, (1 << 22,), "f8", compression="gzip").attrs.update(kept)
    elif kind == 6:
        parent.create_dataset(leaf, (2,), h5py.vlen_dtype(np.float64)).attrs.update(kept)
    elif kind == 7:
        parent[leaf] = np.array([file.ref], h5py.ref_dtype)
    else:
        parent["/".join([leaf] * 60)] = 1.0


HDF5: tuple[Callable[[Random, h5py.File], None], ...] = (
    remove, rename, add, remove_attribute, change_attribute, change_attribute, add_attribute,
    retype, reshape, number, number, other_kind,
)  # fmt: skip

# --- text -------------------------------------------------------------------------------------

WORDS = (
    "nan", "inf", "-1", "0", "1e300", "8e296", "-1e9", "99999999999999999999999999", "1" * 5000,
    '""', "[]", "{}", "true", "2001-01-01", '"' + "\\u001b[31m\\u202e" + '"',
    '"' + "x" * 3000 + '"', '"A"',
    "[" * 3000, "{a=" * 500, "=", "\x00", "\x1b[2J", "'''", "0x10", "1e-300", "7", "2.5",
)  # fmt: skip
_TOKEN = re.compile(r'"[^"\n]*"|[\w.+-]+|[^\s\w]')


def text(rng: Random, data: bytearray) -> None:
    """A word becomes another, or a line goes, comes twice, or changes its place."""
    content = data.decode()
    if rng.random() < 0.6:
        match = _choice(rng, list(_TOKEN.finditer(content)))
        word = _choice(rng, WORDS)
        content = content[: match.start()] + word + content[match.end() :]
    else:
        lines = content.split("\n")
        at, to = (int(p) for p in rng.integers(0, len(lines), 2))
        kind = int(rng.integers(3))
        line = lines[at]
        if kind != 1:
            del lines[at]
        if kind:
            lines.insert(to, line)
        content = "\n".join(lines)
    data[:] = content.encode()


def damage(rng: Random, path: Path, kind: str) -> str:
    """Damage a file in place; return what was done.

    Parameters
    ----------
    rng : Generator
        Decides what.
    path : Path
        The file.
    kind : str
        "bytes", "hdf5" or "text".
    """
    if kind == "hdf5":
        change = _choice(rng, HDF5)
        with h5py.File(path, "a") as file:
            try:
                change(rng, file)
            except (KeyError, ValueError, TypeError, OSError, RuntimeError, AttributeError):
                file.attrs["spoilt"] = 1  # h5py itself would not write that
        return str(change.__name__)
    data = bytearray(path.read_bytes())
    made = text if kind == "text" else _choice(rng, BYTES)
    made(rng, data)
    path.write_bytes(data)
    return str(made.__name__)
