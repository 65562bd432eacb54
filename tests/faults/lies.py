"""Ways in which an engine may lie, each as a change of its true answer in the folder of the run."""

from __future__ import annotations

import array
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.answers import Raw, Run


def on_raw(change: Callable[[Raw], None]) -> Callable[[Run], None]:
    """Lie in the raw file, written anew with matching counts."""

    def lie(run: Run) -> None:
        raw = run.raw()
        change(raw)
        run.write(raw)

    return lie


def on_bytes(change: Callable[[bytes], bytes]) -> Callable[[Run], None]:
    """Lie in the raw file's bytes."""
    return lambda run: run.raw_path.write_bytes(change(run.raw_path.read_bytes())) and None


def scaled(part: str, factor: float, offset: float = 0.0) -> Callable[[Run], None]:
    """Every signal whose name holds a word, times a factor, plus an offset."""

    def change(raw: Raw) -> None:
        for k in raw.named(part):
            raw.columns[k] = array.array("d", [factor * x + offset for x in raw.columns[k]])

    return on_raw(change)


def timed(change: Callable[[array.array[float]], list[float]]) -> Callable[[Run], None]:
    """Other points of time."""

    def lie(raw: Raw) -> None:
        raw.columns[0] = array.array("d", change(raw.columns[0]))

    return on_raw(lie)


def swapped(first: str, second: str) -> Callable[[Run], None]:
    """Two variables under each other's names."""

    def change(raw: Raw) -> None:
        a, b = raw.named(first)[0], raw.named(second)[0]
        raw.variables[a], raw.variables[b] = raw.variables[b], raw.variables[a]

    return on_raw(change)


def renamed(change: Callable[[list[list[str]]], None]) -> Callable[[Run], None]:
    """Other names or kinds of variables."""
    return on_raw(lambda raw: change(raw.variables))


def said(line: str) -> Callable[[Run], None]:
    """One line more in its words."""
    return lambda run: run.say(line)


def other_deck(run: Run, *, retitled: bool) -> None:
    """The result of another deck, as an engine has it that does not look at its input."""
    own = run.raw()
    for path in sorted(run.kept.iterdir()):
        if run.key in path.name or not path.name.startswith(run.kind):
            continue
        files = pickle.loads(path.read_bytes())[1]  # noqa: S301 - written by this very script
        other = Raw(files[run.raw_name]) if run.raw_name in files else None
        if other is None or other.variables != own.variables or other.columns == own.columns:
            continue
        if retitled:
            other.header = own.header
        run.write(other)
        return
    run.status = 99  # nothing to lie with: said by the exit status


def link(run: Run) -> None:
    run.raw_path.rename("elsewhere")
    run.raw_path.symlink_to("elsewhere")


def pipe(run: Run) -> None:
    run.raw_path.unlink()
    os.mkfifo(run.raw_path)


def folder(run: Run) -> None:
    run.raw_path.unlink()
    run.raw_path.mkdir()


def log_link(run: Run) -> None:
    Path("log").unlink(missing_ok=True)
    Path("log").symlink_to("/etc/hostname")


def flood(run: Run) -> None:
    for _ in range(40):
        run.say("x" * 99_999)
        time.sleep(0.01)


def endless(_: Run) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)


def killed(_: Run) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leaves_child(_: Run) -> None:
    subprocess.Popen(["sleep", "300"], start_new_session=True)


def status(number: int) -> Callable[[Run], None]:
    def lie(run: Run) -> None:
        run.status = number

    return lie


def steady(raw: Raw) -> None:
    for k, column in enumerate(raw.columns[1:], start=1):
        raw.columns[k] = array.array("d", [column[0]] * len(column))


def twice(row: int) -> Callable[[Run], None]:
    def change(raw: Raw) -> None:
        for column in raw.columns:
            column.insert(row, column[row])

    return on_raw(change)


def rows_exchanged(raw: Raw) -> None:
    middle = raw.points // 2
    for column in raw.columns:
        column[middle], column[middle + 1] = column[middle + 1], column[middle]


def value(number: float) -> Callable[[Run], None]:
    def change(raw: Raw) -> None:
        raw.columns[-1][raw.points // 2] = number

    return on_raw(change)


def one_less(raw: Raw) -> None:
    raw.variables.pop()
    raw.columns.pop()


def one_more(raw: Raw) -> None:
    raw.variables.append(["v(more)", raw.variables[-1][1]])
    raw.columns.append(raw.columns[-1])


def replaced(old: bytes, new: bytes) -> Callable[[Run], None]:
    return on_bytes(lambda content: content.replace(old, new, 1))


def delete(run: Run) -> None:
    run.raw_path.unlink()


def values_as_text(raw: bytes) -> bytes:
    parts = Raw(raw)
    rows = ["\t".join(repr(c[n]) for c in parts.columns) for n in range(parts.points)]
    return parts.head() + b"Values:\n" + "\n".join(rows).encode()


#: Every lie by its name; each must end any command with another exit code than 0.
LIES: dict[str, Callable[[Run], None]] = {
    # the file
    "no raw file": delete,
    "empty raw file": on_bytes(lambda content: b""),
    "header only": on_bytes(lambda content: content.partition(b"Binary:\n")[0] + b"Binary:\n"),
    "half a file": on_bytes(lambda content: content[: len(content) // 2]),
    "last value cut off": on_bytes(lambda content: content[:-8]),
    "bytes behind the end": on_bytes(lambda content: content + bytes(64)),
    "two plots": on_bytes(lambda content: 2 * content),
    "link in place of the file": link,
    "pipe in place of the file": pipe,
    "folder in place of the file": folder,
    "link in place of the log": log_link,
    # the header
    "no points": on_bytes(
        lambda content: b"\n".join(
            b"No. Points: 0" if line.startswith(b"No. Points") else line
            for line in content.split(b"\n")
        )
    ),
    "one variable more in the header": on_bytes(
        lambda c: c.replace(f"No. Variables: {len(Raw(c).variables)}".encode(),
                            f"No. Variables: {len(Raw(c).variables) + 1}".encode())
    ),
    "complex": replaced(b"Flags: real", b"Flags: complex"),
    "text values": on_bytes(values_as_text),
    "another analysis": replaced(b"Transient Analysis", b"Operating Point"),
    "floats of 32 bits": lambda run: run.raw_path.write_bytes(
        run.raw().head() + b"Binary:\n" + run.raw().body("f")
    ) and None,
    "bytes in the other order": on_raw(lambda raw: [c.byteswap() for c in raw.columns] and None),
    # the variables
    "a name twice": renamed(lambda names: names[-1].__setitem__(0, names[-2][0])),
    "a variable renamed": renamed(lambda names: names[-1].__setitem__(0, "v(another)")),
    "a variable missing": on_raw(one_less),
    "a variable more": on_raw(one_more),
    "voltages called currents": renamed(
        lambda names: [n.__setitem__(1, "current") for n in names if "(br)" not in n[0]] and None
    ),
    "time called a voltage": renamed(lambda names: names[0].__setitem__(1, "voltage")),
    # the times
    "time does not rise": twice(40),
    "time goes back": on_raw(rows_exchanged),
    "time begins late": on_raw(lambda raw: raw.keep(slice(30, None))),
    "time ends early": on_raw(lambda raw: raw.keep(slice(None, -1))),
    "a single point": on_raw(lambda raw: raw.keep(slice(-1, None))),
    "time 10 % longer": timed(lambda time: [1.1 * t for t in time]),
    "time in nanoseconds": timed(lambda time: [1e9 * t for t in time]),
    "time warped between right ends": timed(
        lambda time: [time[-1] * (t / time[-1]) ** 1.05 for t in time]
    ),
    "everything after the first third missing": on_raw(
        lambda raw: [c.__delitem__(slice(len(c) // 3, len(c) - 1)) for c in raw.columns] and None
    ),
    # the values
    "not a number": value(float("nan")),
    "infinite": value(float("inf")),
    "supply current twice": scaled("vsense_p", 2.0),
    "supply current 1 % more": scaled("vsense_p", 1.01),
    "supplies exchanged": swapped("vsense_p", "vsense_n"),
    "drives exchanged": swapped(r"drive0\b", r"drive1\b"),
    "drive shifted": scaled(r"drive0\b", 1.0, 0.05),
    "outputs exchanged": swapped(r"\bo0\b", r"\bo1\b"),
    "a voltage for another": swapped(r"\bc0\b", r"drive0\b"),
    "everything constant": on_raw(steady),
    "signals without their time": on_raw(
        lambda raw: [
            raw.columns.__setitem__(k, c[-20:] + c[:-20])
            for k, c in enumerate(raw.columns) if k > 0
        ] and None
    ),
    # another run
    "result of another deck": lambda run: other_deck(run, retitled=False),
    "result of another deck under this title": lambda run: other_deck(run, retitled=True),
    # the words and the end
    "another version": lambda run: sys.stdout.write(
        {"ngspice": "** ngspice-41 : Circuit\n", "vacask": "This is vacask 9.9.\n"}[run.kind]
    ) and None,
    "resistor repaired": said("Warning: r1: resistance to low, set to 1 mOhm"),
    "note of an error": said("Note: an error was found and ignored"),
    "unknown warning": said("Warning: the moon is full"),
    "exit status": status(1),
    "killed at the end": killed,
    "never ends": endless,
    "flood of words": flood,
}  # fmt: skip
#: Only where neurons are.
NEURON_LIES: dict[str, Callable[[Run], None]] = {
    "spikes lost": scaled(r"spike\d", 0.0),
    "hazard 10 % more": scaled(r"xneuron0[.:]h\b", 1.1),
    "neurons' supply halved": scaled("vneuron_p", 0.5),
}
#: What changes nothing that is reported, and why.
HARMLESS: dict[str, tuple[Callable[[Run], None], str]] = {
    "a line more": (said("chatter of a library"), "words without alarm are kept in the log"),
    "another date": (replaced(b"Date: ", b"Date: yesterday, "), "no number depends on it"),
    "a header line of a newer version": (
        replaced(b"Plotname:", b"Command: version 99\nPlotname:"),
        "keys not known are not needed",
    ),
    "a child left behind": (leaves_child, "it is killed, and the answer was whole before"),
}
