"""An engine that hangs, lies or is another one than expected, played by a shell script."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from memspice.circuits.deck import Deck
from memspice.engines import ENGINES, find_engine
from memspice.engines.base import Cancelled, SolverOptions
from memspice.engines.ngspice import Ngspice
from memspice.errors import (
    ConfigError,
    DataError,
    EngineError,
    EngineNotFound,
    EngineTimeout,
    EngineVersionError,
    TruncatedOutput,
)
from tests.engine_helpers import ENDLESS, FOREVER, ON_POSIX, SHORT
from tests.engine_helpers import SPICE_DIVIDER as DIVIDER


@pytest.fixture(scope="module")
def engine() -> Ngspice:
    return Ngspice()


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., Ngspice]:
    """Engines that are shell scripts: ``body`` runs in place of (or around) ngspice."""

    def build(body: str, banner: str = "** ngspice-39 : Circuit", probe: str = "") -> Ngspice:
        script = tmp_path / "ngspice-stand-in"
        script.write_text(
            f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{banner}"; exit 0; fi\n'
            f'case "$*" in *probe.cir*) {probe or ":"}; exit 0;; esac\n{body}\n'
        )
        script.chmod(0o755)
        return Ngspice(str(script))

    return build


# --- stopping -------------------------------------------------------------------------------------


def is_running(pid: int) -> bool:
    """A zombie, which only waits for its parent to look, does not run."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + FOREVER
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


@ON_POSIX
def test_a_timeout_kills_the_engine_and_its_children(
    fake: Callable[..., Ngspice], tmp_path: Path
) -> None:
    body = f"sleep 300 & echo $$ $! > {tmp_path}/part; mv {tmp_path}/part {tmp_path}/pids; wait"
    engine = fake(body)
    with pytest.raises(EngineTimeout, match="0.5 s"):
        engine.run(DIVIDER, SHORT, timeout=0.5)
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    assert wait_until(lambda: not any(is_running(pid) for pid in pids))


@pytest.mark.ngspice
def test_a_timeout_stops_the_real_engine(engine: Ngspice) -> None:
    with pytest.raises(EngineTimeout, match="raise timeout"):
        engine.run(DIVIDER, ENDLESS, save=["v(out)"], timeout=0.3)


@pytest.mark.ngspice
def test_cancel_stops_a_running_engine(engine: Ngspice) -> None:
    cancel = threading.Event()
    timer = threading.Timer(0.2, cancel.set)
    timer.start()
    with pytest.raises(Cancelled):  # and not EngineTimeout
        engine.run(DIVIDER, ENDLESS, save=["v(out)"], timeout=FOREVER, cancel=cancel)
    timer.join()


# --- an engine that misbehaves --------------------------------------------------------------------

MISBEHAVIOUR = {
    "wrong exit status": ('ngspice "$@"; exit 3', EngineError, "exit status 3"),
    "killed": ('ngspice "$@"; kill -9 $$', EngineError, "signal 9"),
    "no raw file": ("exit 0", TruncatedOutput, "no raw file"),
    "empty raw file": ('ngspice "$@"; : > out.raw', TruncatedOutput, "empty"),
    "truncated raw file": (
        'ngspice "$@"; head -c 5000 out.raw > part; mv part out.raw',
        TruncatedOutput,
        "MiB free",
    ),
    "value that is not finite": (
        # 8 bytes 0xFF are a NaN; they replace the last value of the last point
        'ngspice "$@"; head -c -8 out.raw > part; printf "\\377\\377\\377\\377" >> part; '
        'printf "\\377\\377\\377\\377" >> part; mv part out.raw',
        EngineError,
        r"i\(v1\) is nan at point",
    ),
    "another analysis": (
        "sed 's/^\\.tran.*/.op/' deck.cir > other.cir; ngspice -n -b -r out.raw -o log other.cir",
        EngineError,
        "'Transient Analysis'",
    ),
    "ends too early": (
        "sed 's/^\\.tran.*/.tran 1n 0.999999u/' deck.cir > other.cir; "
        "ngspice -n -b -r out.raw -o log other.cir",
        TruncatedOutput,
        "ends at 9.99999e-07 s instead of 1e-06 s",
    ),
    "unknown warning": (
        'echo "Warning: the moon is full" >&2; exec ngspice "$@"',
        EngineError,
        "moon is full.*harmless",
    ),
    "file size limit": ('ulimit -f 20; exec ngspice "$@"', EngineError, "signal"),
    "note of an error": (
        'echo "Note: an error occurred" >&2; exec ngspice "$@"',
        EngineError,
        "error occurred.*harmless",
    ),
    "another version": (
        'echo "** ngspice-41 : Circuit"; exec ngspice "$@"',
        EngineVersionError,
        "said in the run that it is 41",
    ),
    "result of another deck": (
        "sed '1s/./*/4' deck.cir > other.cir; ngspice -n -b -r out.raw -o log other.cir",
        EngineError,
        "raw file is that of another deck",
    ),
    "saves more than was asked for": (
        "sed 's/^.save/.save v(in)/' deck.cir > other.cir; "
        "ngspice -n -b -r out.raw -o log other.cir",
        EngineError,
        r"wrote v\(in\) \(1 signals\) that were not asked for",
    ),
}


@ON_POSIX
@pytest.mark.ngspice
@pytest.mark.parametrize("case", MISBEHAVIOUR)
def test_misbehaviour_is_noticed(fake: Callable[..., Ngspice], case: str) -> None:
    body, kind, message = MISBEHAVIOUR[case]
    with pytest.raises(kind, match=message) as caught:
        fake(body).run(DIVIDER, SHORT, save=["v(out)", "i(v1)"])
    assert type(caught.value) is kind


@ON_POSIX
@pytest.mark.ngspice
def test_a_full_disk_is_named(fake: Callable[..., Ngspice]) -> None:
    # With SIGXFSZ ignored, writing beyond the limit fails as on a full disk: ngspice exits with 0
    # (the same log and exit status were seen on a full tmpfs).
    with pytest.raises(TruncatedOutput, match="rawfile write error.*disk space"):
        fake("trap '' XFSZ; ulimit -f 20; exec ngspice \"$@\"").run(DIVIDER, SHORT)


@ON_POSIX
@pytest.mark.ngspice
@pytest.mark.parametrize(
    "note",
    [
        "some chatter of a library",
        "Note: something a newer version tells",
        "Warning: source stepping failed",
        "Trying gmin =   1.0000E-03 Warning: Further gmin increment",
        "Warning: v1: no DC value, transient time 0 value used",
    ],
)
def test_harmless_notes_are_no_errors(fake: Callable[..., Ngspice], note: str) -> None:
    waveforms = fake(f'echo "{note}" >&2; exec ngspice "$@"').run(DIVIDER, SHORT)
    assert waveforms.voltage("out")[-1] == pytest.approx(0.75)
    assert note.rpartition("Warning")[2] in waveforms.log


# --- probing --------------------------------------------------------------------------------------


@pytest.mark.ngspice
def test_the_installed_engine_is_described(engine: Ngspice) -> None:
    assert engine.info.name == "ngspice"
    assert engine.info.version[0].isdigit()
    assert Path(engine.info.path).is_absolute()
    assert find_engine("ngspice").info == engine.info


@ON_POSIX
def test_abilities_are_seen_and_not_concluded_from_a_version(
    fake: Callable[..., Ngspice],
) -> None:
    info = fake("exit 0", banner="** ngspice-99.1+ : a later one").info
    assert (info.version, info.osdi, info.klu) == ("99.1+", False, False)


@ON_POSIX
@pytest.mark.parametrize("version", ["38", "27.1", "x"])
def test_an_engine_below_the_floor_is_refused(fake: Callable[..., Ngspice], version: str) -> None:
    with pytest.raises(EngineVersionError, match="memspice needs"):
        fake("exit 0", banner=f"** ngspice-{version} : Circuit")


@ON_POSIX
@pytest.mark.ngspice
def test_a_program_exchanged_between_two_runs_is_noticed(
    fake: Callable[..., Ngspice],
) -> None:
    engine = fake('exec ngspice "$@"')
    engine.run(DIVIDER, SHORT)
    other = fake('exec ngspice  "$@"')  # one more blank, at the same path
    assert other.info.sha256 != engine.info.sha256
    with pytest.raises(EngineVersionError, match="was exchanged"):
        engine.run(DIVIDER, SHORT)
    other.run(DIVIDER, SHORT)


@pytest.mark.ngspice
@pytest.mark.parametrize("timeout", [1e-9, 0.0, -1.0, float("nan")])
def test_a_limit_that_cannot_be_held_is_refused(engine: Ngspice, timeout: float) -> None:
    with pytest.raises(ConfigError, match="at least 0.05 s"):
        engine.run(DIVIDER, SHORT, timeout=timeout)


NEWER = """if grep -q pre_osdi probe.cir
then echo 'Error opening osdi lib "memspice-missing.osdi": no such file' >&2
else grep -q 'options klu' probe.cir && echo 'Using KLU as Direct Linear Solver' >&2; fi"""


@ON_POSIX
@pytest.mark.vacask
def test_models_are_compiled_where_osdi_loads_and_transistors_built_in(
    fake: Callable[..., Ngspice],
) -> None:
    deck = Deck("title", "text")
    section = deck.section("one of each")
    section.X("a", "amplifier", "i", "l", "e", "p", "n")
    section.X("b", "cmos45_nmos", "d", "g", "0", "0")
    engine = fake("exit 0", "** ngspice-99 : later", NEWER)
    text = engine.write(deck)
    assert ".model amplifier_osdi amplifier" in text
    assert ".model cmos45_nmos_card nmos level=54" in text
    assert "cmos45_nmos_osdi" not in text
    section.X("c", "flux_capacitor", "a", "b")
    with pytest.raises(DataError, match=r"flux_capacitor\.lib"):
        engine.write(deck)


@ON_POSIX
@pytest.mark.ngspice
def test_klu_is_used_where_there_is_klu(fake: Callable[..., Ngspice], tmp_path: Path) -> None:
    seen = tmp_path / "seen.cir"
    engine = fake(f'cp deck.cir {seen}; exec ngspice "$@"', probe=NEWER)
    assert (engine.info.version, engine.info.osdi, engine.info.klu) == ("39", True, True)
    engine.run(DIVIDER, SHORT)
    assert ".options klu\n" in seen.read_text()
    engine.run(DIVIDER, SHORT, options=SolverOptions(linear_solver="sparse"))
    assert "klu" not in seen.read_text()


@ON_POSIX
@pytest.mark.ngspice
def test_klu_by_name_must_really_be_used(fake: Callable[..., Ngspice]) -> None:
    klu = SolverOptions(linear_solver="klu")
    # the stand-in has KLU when asked, and drops it in the run
    engine = fake('grep -v klu deck.cir > d; cp d deck.cir; exec ngspice "$@"', probe=NEWER)
    with pytest.raises(EngineError, match="did not use KLU"):
        engine.run(DIVIDER, SHORT, options=klu)


@ON_POSIX
def test_klu_by_name_is_refused_where_there_is_none(fake: Callable[..., Ngspice]) -> None:
    with pytest.raises(ConfigError, match="no KLU"):
        fake("exit 0").run(DIVIDER, SHORT, options=SolverOptions(linear_solver="klu"))


@ON_POSIX
def test_an_executable_that_is_not_ngspice_is_refused(fake: Callable[..., Ngspice]) -> None:
    with pytest.raises(EngineError, match="does not answer like ngspice"):
        fake("exit 0", banner="bash 5.2")


def test_a_missing_executable_is_named_with_the_way_to_install_it() -> None:
    with pytest.raises(EngineNotFound, match=r"ngspice-nowhere.*(apt|brew|conda) install"):
        Ngspice("ngspice-nowhere")


def test_an_unknown_engine_is_refused_and_the_known_are_named() -> None:
    with pytest.raises(ConfigError, match="ngspice") as caught:
        find_engine("hspice")
    assert all(name in str(caught.value) for name in ENGINES)
