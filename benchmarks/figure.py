"""Figure of a bench: cost against size of all contenders, and the fidelity ladder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from memspice.errors import ConfigError
from memspice.plot.style import MUTED, SPICE, SURROGATE, headline, new_figure, numbers, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Ours blue, peers in Okabe and Ito's other colours; dashed is what solves one input only.
_CONTENDERS = {
    "memspice": (SURROGATE, "-", "o"),
    "badcrossbar": (SPICE, "-", "s"),
    "superlu": ("#009e73", "-", "^"),
    "ngspice": (MUTED, "--", "D"),
    "memspice-sinh": ("#56b4e9", ":", "o"),
    "ngspice-sinh": ("#e69f00", ":", "D"),
}
_LADDER = {
    ("ngspice", "full"): (SPICE, "-", "s"),
    ("vacask", "full"): ("#e69f00", "-", "s"),
    ("ngspice", "reduced"): (SPICE, "--", "o"),
    ("vacask", "reduced"): ("#e69f00", "--", "o"),
    ("numpy", "surrogate"): (SURROGATE, "-", "^"),
}
_MEGA = 1e6
#: In the place of a section that failed.
_NOTHING: Mapping[str, Any] = {"points": (), "runs": ()}


def draw_bench(content: Mapping[str, Any]) -> Figure:
    """Draw cost against size: processor time and memory of the race, and the fidelity ladder.

    A cross stands where a contender was stopped: at the limit, not at what it would have taken.

    Parameters
    ----------
    content : mapping
        Of ``bench.json``; a section that is not there leaves its place empty.

    Returns
    -------
    matplotlib.figure.Figure
        Belongs to no window and no global state.

    Raises
    ------
    ConfigError
        If nothing was measured that could be drawn.
    """
    crossbar, runs = (content.get(name, _NOTHING) for name in ("crossbar", "ladder"))
    if not any(item["status"] == "ok" for item in (*crossbar["points"], *runs["runs"])):
        raise ConfigError("no contender and no layer of the bench ended: there is nothing to draw")
    figure = new_figure(7.4)
    (time, memory), (ladder, ratios) = figure.subplots(2, 2)
    _race(time, crossbar, "cpu_seconds", 1.0)
    time.set_ylabel("processor time (s)")
    time.set_title("Wired crossbar, N x N", fontsize=10, loc="left")
    _race(memory, crossbar, "growth_bytes", _MEGA)
    memory.set_ylabel("memory taken (MB)")
    memory.set_title("The same, memory of the calculation", fontsize=10, loc="left")
    _ladder(ladder, runs)
    _ratios(ratios, content)
    for axis in (time, memory, ladder):
        _sizes(axis)
        tidy(axis)
    dates = [record["date"] for record in content["sections"].values()]
    title = f"memspice bench ({content['plan']}), {content['machine']['processor']}, {max(dates)}"
    headline(figure, title, time, ncols=3, fontsize=8.5)
    return figure


def _race(axis: Axes, crossbar: Mapping[str, Any], key: str, unit: float) -> None:
    for name, (color, line, marker) in _CONTENDERS.items():
        points = [point for point in crossbar["points"] if point["contender"] == name]
        ended = [p for p in points if p["status"] == "ok" and p[key] > 0]
        stopped = [point["size"] for point in points if point["status"] == "stopped"]
        if stopped and unit == 1.0:
            axis.plot(stopped, [crossbar["limit_seconds"]] * len(stopped), "x", color=color)
        # The memory of an engine is that of its own process.
        if not ended or (key == "growth_bytes" and name.startswith("ngspice")):
            continue
        law = crossbar["exponents" if unit == 1.0 else "memory_exponents"].get(name)
        label = crossbar["titles"][name]
        axis.plot(
            [point["size"] for point in ended],
            numbers([point[key] / unit for point in ended], name),
            color=color, linestyle=line, marker=marker, markersize=4, linewidth=1.4, label=label,
        )  # fmt: skip
        last = ended[-1]
        if law and law["low"] is not None:
            axis.annotate(
                f"$N^{{{law['exponent']:.1f}}}$", (last["size"], last[key] / unit),
                xytext=(5, -2), textcoords="offset points", fontsize=8.5, color=color,
            )  # fmt: skip


def _ladder(axis: Axes, ladder: Mapping[str, Any]) -> None:
    for (engine, fidelity), (color, line, marker) in _LADDER.items():
        runs: dict[int, float] = {}
        for run in ladder["runs"]:
            if (run["engine"], run["fidelity"], run["status"]) == (engine, fidelity, "ok"):
                cost = run["cpu_seconds"] / run["cycles"]
                runs[run["size"]] = min(cost, runs.get(run["size"], cost))
        if runs:
            sizes = sorted(runs)
            axis.plot(
                sizes, numbers([runs[size] for size in sizes], fidelity), color=color,
                linestyle=line, marker=marker, markersize=4, linewidth=1.4,
                label=f"{fidelity}, {'NumPy' if engine == 'numpy' else engine}",
            )  # fmt: skip
    axis.set_ylabel("processor time a cycle (s)")
    axis.set_title("A layer, N x N", fontsize=10, loc="left")
    if axis.lines:
        axis.legend(frameon=False, fontsize=8, loc="upper left", handlelength=2.6)
        # Room above the lines for their key.
        axis.set_ylim(bottom=1e-6, top=1e4 * max(1.0, axis.get_ylim()[1]))


def _ratios(axis: Axes, content: Mapping[str, Any]) -> None:
    """Draw what was asked for and what was found, each over the limit: right of 1 is reached."""
    from matplotlib.patheffects import withStroke

    shown = [aim for aim in content["aims"] if aim["value"] > 0]
    axis.set_title("Against what was asked for", fontsize=10, loc="left")
    if not shown:
        axis.set_axis_off()
        return
    over = [
        aim["value"] / aim["limit"] if aim["more_is_better"] else aim["limit"] / aim["value"]
        for aim in shown
    ]
    values = numbers(over, "aims")
    for place, (aim, value) in enumerate(zip(shown, values, strict=True)):
        color = SURROGATE if aim["reached"] else SPICE
        # Hollow where the number is scaled from another one that was measured.
        face = "white" if "scaled" in aim["basis"] else color
        axis.plot([1.0, value], [place, place], color=color, linewidth=1.4, zorder=2)
        axis.plot(value, place, "o", color=color, markerfacecolor=face, markersize=5, zorder=3)
        axis.annotate(
            aim["what"], (0.01, place - 0.28), xycoords=("axes fraction", "data"),
            va="center", fontsize=6.8,
            path_effects=[withStroke(linewidth=2, foreground="white")],
        )  # fmt: skip
    axis.axvline(1.0, color="black", linewidth=0.9)
    axis.set_xscale("log")
    axis.set_ylim(len(shown) - 0.5, -0.7)
    axis.set_yticks([])
    axis.set_xlabel("better than the limit by (hollow: scaled)", fontsize=9)
    tidy(axis, "x")


def _sizes(axis: Axes) -> None:
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xlabel("N", fontsize=9)
    axis.xaxis.set_major_formatter("{x:.0f}")
