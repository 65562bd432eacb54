"""``memspice waves``: what it prints, what it draws, what it refuses."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from click.testing import CliRunner, Result

from memspice.cli.waves import waves
from memspice.errors import ConfigError, StoreError
from memspice.plot.style import save
from memspice.plot.waveplot import draw_waveforms
from memspice.store import JobRecord, PhaseSpan, Provenance, RunWriter, phases_of

POINTS = 201
TIME = np.linspace(0.0, 400e-9, POINTS)
JOB = JobRecord(
    key="k1",
    name="conv1/image0000_position0012_columns0",
    attributes={
        "rows": 27,
        "cycle_time": 200e-9,
        "cycle_time_units": "s",
        "write_start": 0.0,
        "write_stop": 100e-9,
        "reset_start": 150e-9,
        "reset_stop": 190e-9,
    },
    netlist="* deck\nV1 a 0 1\n.end\n",
    log="Doing analysis\n",
    time=TIME,
    signals={
        "v(out)": (0.1 * np.sin(1e8 * TIME), "V"),
        "v(in)": (np.full(POINTS, 0.25), "V"),
        "i(vdd)": (np.linspace(-12e-6, 0.0, POINTS), "A"),
        "hazard": (np.linspace(0.0, 1.5, POINTS), "1"),
    },
    events={"neuron": (np.arange(5), "1"), "spike": (np.arange(5) > 2, "1")},
    energy={"driver": 1.5e-12, "closure": 2e-5},
)
BARE = JobRecord(key="k2", name="fc/surrogate")


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    """Return a finished run of two jobs."""
    path = tmp_path / "run.h5"
    engine: dict[str, str | bool] = {"name": "ngspice", "version": "39.3", "osdi": False}
    with RunWriter.create(path, Provenance(config="", seed=1, engine=engine)) as run:
        run.add(JOB)
        run.add(BARE)
        run.finish({"events": 5})
    return path


def call(*arguments: str | Path) -> Result:
    """Run a command; exceptions pass, as they do under the real command line."""
    return CliRunner().invoke(waves, [str(a) for a in arguments], catch_exceptions=False)


def output(*arguments: str | Path) -> str:
    """Return what a command that succeeds prints."""
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout == result.output  # nothing on stderr
    return result.stdout


# --- ls -------------------------------------------------------------------------------------


def test_ls_prints_a_table_of_jobs(run_file: Path) -> None:
    lines = output("ls", run_file).splitlines()
    assert lines[0] == f"{run_file}: complete, 2 jobs, ngspice 39.3"
    rows = [line.split() for line in lines[2:]]
    assert rows == [
        ["POINTS", "SIGNALS", "EVENTS", "SPIKES", "JOB"],
        ["201", "4", "5", "2", JOB.name],
        ["0", "0", "0", "-", BARE.name],
    ]
    assert max(map(len, lines[2:])) <= 80
    assert lines[3].index("201") + 3 == lines[2].index("POINTS") + 6  # aligned at the right


def test_ls_json(run_file: Path) -> None:
    found = json.loads(output("ls", run_file, "--json"))
    assert found["status"] == "complete"
    assert found["summary"] == {"events": 5}
    assert [job["name"] for job in found["jobs"]] == [JOB.name, BARE.name]
    assert found["jobs"][0]["spikes"] == 2


def test_ls_of_a_job_prints_ranges_in_engineering_units(run_file: Path) -> None:
    lines = output("ls", run_file, JOB.name).splitlines()
    assert lines[0] == "201 points, 0 s to 400 ns"
    assert lines[4].split() == ["250", "mV", "250", "mV", "250", "mV", "250", "mV", "v(in)"]
    assert lines[5].split() == ["-12", "uA", "0", "A", "-12", "uA", "0", "A", "i(vdd)"]
    assert lines[6].split() == ["0", "1.5", "0", "1.5", "hazard"]
    found = json.loads(output("ls", run_file, JOB.name, "--json"))
    assert found["signals"][2] == {
        "name": "i(vdd)",
        "unit": "A",
        "min": -12e-6,
        "max": 0.0,
        "first": -12e-6,
        "last": 0.0,
    }


def test_ls_of_a_job_without_waveforms_says_so(run_file: Path) -> None:
    assert output("ls", run_file, BARE.name) == "no waveforms are kept of this job\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.9999999, "1 V"),
        (999.99e-9, "1 uV"),
        (-1e-20, "-1e-20 V"),
        (5e15, "5e+15 V"),
        (0.0, "0 V"),
    ],
)
def test_prefixes_at_their_borders(tmp_path: Path, value: float, shown: str) -> None:
    path = tmp_path / "run.h5"
    with RunWriter.create(path, Provenance(config="", seed=1, engine={})) as run:
        signals = {"v": (np.array([value]), "V")}
        run.add(JobRecord(key="k", name="a", time=np.zeros(1), signals=signals))
        run.finish({})
    assert output("ls", path, "a").splitlines()[-1].split() == [*shown.split() * 4, "v"]


# --- show -----------------------------------------------------------------------------------


def test_show_prints_attributes_energies_and_signals(run_file: Path) -> None:
    text = output("show", run_file, JOB.name, "v(in)")
    for words in ("rows = 27", "cycle_time = 200 ns", "1.5 pJ  driver", "0.002%  closure"):
        assert words in text
    assert "5 events: neuron, spike" in text
    assert "netlist of 3 lines" in text
    assert "v(in)" in text
    assert "v(out)" not in text
    assert "cycle_time_units" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_show_csv_keeps_every_digit(run_file: Path) -> None:
    rows = list(csv.reader(io.StringIO(output("show", run_file, JOB.name, "--csv"))))
    assert rows[0] == ["time [s]", "v(out) [V]", "v(in) [V]", "i(vdd) [A]", "hazard [1]"]
    values = np.array(rows[1:], dtype=float)
    np.testing.assert_array_equal(values[:, 0], TIME)
    np.testing.assert_array_equal(values[:, 1], JOB.signals["v(out)"][0])
    chosen = output("show", run_file, JOB.name, "i(vdd)", "v(in)", "--csv").splitlines()
    assert chosen[0] == "time [s],i(vdd) [A],v(in) [V]"


def test_show_json(run_file: Path) -> None:
    found = json.loads(output("show", run_file, JOB.name, "--json"))
    assert found["attributes"] == JOB.attributes
    assert found["energy"] == JOB.energy
    assert found["spikes"] == 2
    assert found["events"] == {"count": 5, "columns": ["neuron", "spike"]}
    assert json.loads(output("show", run_file, BARE.name, "--json"))["spikes"] is None


def test_show_netlist_and_log(run_file: Path) -> None:
    assert output("show", run_file, JOB.name, "--netlist") == JOB.netlist
    assert output("show", run_file, JOB.name, "--log") == JOB.log


def test_show_refuses_two_forms_at_once(run_file: Path) -> None:
    result = call("show", run_file, JOB.name, "--csv", "--json")
    assert result.exit_code == 2
    assert "exclude one another" in result.output


def test_unknown_names_are_store_errors(run_file: Path) -> None:
    with pytest.raises(StoreError, match="no job 'conv1/nothing'"):
        call("show", run_file, "conv1/nothing")
    with pytest.raises(StoreError, match=r"no signal 'v\(o\)'.*nearest: v\(out\)"):
        call("show", run_file, JOB.name, "v(o)")
    with pytest.raises(StoreError, match="does not exist"):
        call("ls", run_file.with_name("other.h5"))


def test_reader_that_leaves_early_is_no_error(run_file: Path) -> None:
    code = "from memspice.cli.waves import waves; waves()"
    command = [sys.executable, "-c", code, "show", str(run_file), JOB.name, "--csv"]
    root = Path(__file__).resolve().parents[2]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=root) as child:
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        assert child.stderr.read() == ""
    assert child.returncode == 0


# --- plot -----------------------------------------------------------------------------------


def test_plot_writes_an_image(run_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "waves.png"
    assert output("plot", run_file, JOB.name, "--out", out, "--parents") == f"{out}: 4 signals\n"
    image = matplotlib.image.imread(out)
    assert min(image.shape[:2]) > 500
    assert image[..., :3].std() > 0.05  # something is drawn


def test_plot_json_and_chosen_signals(run_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "waves.svg"
    found = json.loads(output("plot", run_file, JOB.name, "hazard", "--out", out, "--json"))
    assert found == {"out": str(out), "signals": ["hazard"], "left_out": 0}
    assert out.read_text().startswith("<?xml")


def test_plot_draws_the_first_signals_of_each_unit_and_says_so(tmp_path: Path) -> None:
    path, out = tmp_path / "run.h5", tmp_path / "a.png"
    signals = {f"v({i})": (np.full(POINTS, 0.1 * i), "V") for i in range(11)}
    with RunWriter.create(path, Provenance(config="", seed=1, engine={})) as run:
        run.add(JobRecord(key="k", name="a", time=TIME, signals=signals))
        run.finish({})
    assert "8 signals; 3 more not drawn" in output("plot", path, "a", "--out", out)
    assert "11 signals\n" in output("plot", path, "a", *signals, "--out", out)


def test_plot_refusals(run_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no waveform to draw"):
        call("plot", run_file, BARE.name, "--out", tmp_path / "a.png")
    with pytest.raises(ConfigError, match="no known image format; use one of .*png"):
        call("plot", run_file, JOB.name, "--out", tmp_path / "a.xyz")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="could not be written"):
        call("plot", run_file, JOB.name, "--out", tmp_path / "file" / "a.png")


def test_one_axis_a_unit_in_engineering_units() -> None:
    figure = draw_waveforms(TIME, JOB.signals, "title")
    axes = figure.axes
    assert [axis.get_ylabel() for axis in axes] == ["voltage", "current", "value"]
    assert [len(axis.get_lines()) for axis in axes] == [2, 1, 1]
    np.testing.assert_array_equal(axes[1].get_lines()[0].get_ydata(), JOB.signals["i(vdd)"][0])
    assert axes[1].yaxis.get_major_formatter()(-4e-6) == "−4 µA"
    assert axes[2].xaxis.get_major_formatter()(2e-7) == "200 ns"
    assert all(axis.get_xlim() == (TIME[0], TIME[-1]) for axis in axes)


def test_lines_of_one_axis_can_be_told_apart() -> None:
    signals = {str(i): (TIME, "V") for i in range(20)}
    lines = draw_waveforms(TIME, signals).axes[0].get_lines()
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 20


def test_phases_repeat_every_cycle_and_end_with_the_run() -> None:
    found = phases_of(JOB.attributes, 380e-9)
    assert [phase.name for phase in found] == ["write", "reset", "write", "reset"]
    np.testing.assert_allclose([phase.start for phase in found], [0, 150e-9, 200e-9, 350e-9])
    np.testing.assert_allclose([phase.stop for phase in found], [100e-9, 190e-9, 300e-9, 380e-9])
    assert len(phases_of({"read_start": 0.0, "read_stop": 1e-9}, 1e-6)) == 1
    assert phases_of({"read_start": 0.0}, 1e-6) == []


def test_phases_are_shaded_on_every_axis() -> None:
    bare = draw_waveforms(TIME, JOB.signals)
    shaded = draw_waveforms(TIME, JOB.signals, phases=[PhaseSpan("write", 0.0, 1e-7)])
    for axis, plain in zip(shaded.axes, bare.axes, strict=True):
        assert len(axis.patches) == len(plain.patches) + 1
    assert [text.get_text() for text in shaded.axes[0].texts] == ["write"]


def test_too_many_phases_are_left_out() -> None:
    many = [PhaseSpan("write", i * 1e-9, i * 1e-9 + 1e-10) for i in range(401)]
    axis = draw_waveforms(TIME, JOB.signals, phases=many).axes[0]
    assert not axis.patches
    assert not axis.texts


def test_save_refuses_a_format_before_it_draws(tmp_path: Path) -> None:
    figure = draw_waveforms(TIME, JOB.signals)
    with pytest.raises(ConfigError, match="no known image format"):
        save(figure, tmp_path / "noformat")
    assert not list(tmp_path.iterdir())
