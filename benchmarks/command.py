"""``make bench``: what memspice costs beside what its users would take instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks.figure import draw_bench
from benchmarks.plan import FULL, QUICK
from benchmarks.sections import SECTIONS, run_bench
from memspice.cli.bar import progress_bar
from memspice.cli.options import parents_option
from memspice.cli.output import report
from memspice.errors import ConfigError
from memspice.inputs import read_json
from memspice.outputs import check_file, make_folder, write_text
from memspice.plot.style import own_style, save
from memspice.quantities import format_si

#: Sizes at which the race is printed.
_SIZES = (64, 128, 256, 512)


@click.command("bench")
@click.option("--quick", is_flag=True, help="Tiny sizes, once: to see that it works.")
@click.option(
    "--section",
    type=click.Choice(list(SECTIONS)),
    help="Measure only this; the others stay as an earlier bench.json has them.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results/bench"),
    show_default=True,
    help="Folder of bench.json and bench.png.",
)
@parents_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench_command(
    quick: bool, section: str | None, out: Path, parents: bool, as_json: bool
) -> None:
    """Measure time, memory and agreement beside peers.

    Wired crossbars against badcrossbar, SciPy's sparse LU and a plain deck in ngspice; the three
    fidelities and both engines on the same layers; the network loop against the machine's matrix
    products, and in bursts; two workers against one; a sweep against single commands. Takes about
    an hour on an idle machine. What is measured is in bench.json at once; bench.png is drawn when
    all sections are there.
    """
    make_folder(out, parents=parents)
    path = out / "bench.json"
    check_file(path)

    def keep(content: dict[str, Any]) -> None:
        text = json.dumps(content, indent=1, allow_nan=False) + "\n"
        write_text(path, text)

    with progress_bar(desc="bench", bar_format="{desc} [{elapsed}]", delay=0.5) as bar:
        content = run_bench(
            QUICK if quick else FULL,
            bar.set_description_str,
            keep,
            sections=[section] if section else None,
            earlier=_earlier(path) if section else None,
        )
    if content["finished"]:
        with own_style():
            save(draw_bench(content), out / "bench.png")
    content["out"] = str(out)
    report(content, partial(bench_text, content), as_json=as_json, stored=[path])


def _earlier(path: Path) -> dict[str, Any] | None:
    """Bench of a file, if there is one."""
    if not path.exists():
        return None
    try:
        return dict(read_json(path, 1 << 28, ConfigError))
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path} is no earlier bench: {error}; name another folder") from error


def bench_text(content: Mapping[str, Any]) -> str:
    """Result for a terminal of 116 columns."""
    lines = [
        *_head_lines(content),
        *(
            line
            for name, shown in _SHOWN.items()
            if name in content
            for line in shown(content[name])
        ),
        "asked for",
        *(_aim_line(aim) for aim in content["aims"]),
    ]
    if "out" in content:
        files = "bench.json and bench.png" if content["finished"] else "bench.json"
        lines.append(f"{files} in {content['out']}")
    return "\n".join(lines)


def _head_lines(content: Mapping[str, Any]) -> Iterator[str]:
    machine, sections = content["machine"], content["sections"]
    loads = [record[key] for record in sections.values() for key in ("load_before", "load_after")]
    dates = sorted({record["date"] for record in sections.values()})
    yield (
        f"memspice bench ({content['plan']}): {machine['processors']} x {machine['processor']}, "
        f"load {min(loads):.1f} to {max(loads):.1f}, {' to '.join(dates[:1] + dates[1:][-1:])}"
    )
    yield f"  {machine['note']}"
    for name, reason in content["missing"].items():
        yield f"  {name} is missing: {reason}"
    for name in SECTIONS:
        if name not in sections:
            yield f"  {name} is not measured yet: python -m benchmarks --section {name}"
        elif sections[name]["status"] != "ok":
            yield f"  {name} failed: {sections[name]['reason']}"


def _race_lines(crossbar: Mapping[str, Any]) -> Iterator[str]:
    points = {(point["contender"], point["size"]): point for point in crossbar["points"]}
    largest = max(size for _, size in points)
    sizes = [size for size in _SIZES if size <= largest] or [largest]
    ratios = {(item["peer"], item["size"]): item for item in crossbar["ratios"]}
    yield "wired crossbar N x N: time, times that of memspice, memory, difference of the currents"
    for name, title in crossbar["titles"].items():
        law = crossbar["exponents"].get(name)
        yield f"  {title}{_exponent(law)}"
        for size in sizes:
            point = points[name, size]
            if point["status"] != "ok":
                yield f"    {size:5}  {point['status']}: {point['reason']}"
                continue
            line = f"    {size:5}  {format_si(point['cpu_seconds'], 's'):>9}"
            ratio = ratios.get((name, size))
            line += f"  {ratio['ratio']:7.1f} x" if ratio else f"{'':11}"
            engine = name.startswith("ngspice")
            line += f"  {point['peak_bytes' if engine else 'growth_bytes'] / 1e6:8.1f} MB"
            yield line + (f"  {ratio['difference']:.0e}" if ratio else "")


def _exponent(law: Mapping[str, Any] | None) -> str:
    if law is None:
        return ""
    interval = f" ({law['low']:.2f} to {law['high']:.2f})" if law["low"] is not None else ""
    return f": N^{law['exponent']:.2f}{interval} from {law['sizes'][0]} to {law['sizes'][-1]}"


def _ladder_lines(ladder: Mapping[str, Any]) -> Iterator[str]:
    yield "fidelities and engines: ratio of time, spikes that differ, worst margin"
    for item in ladder["ratios"]:
        slow, fast = (f"{key[1]} on {key[0]}" for key in (item["slow"], item["fast"]))
        cycles, other = item["slow"][3], item["fast"][3]
        span = f"{cycles} cycles" if cycles == other else f"{cycles} and {other} cycles"
        yield f"  {slow} over {fast}, {item['slow'][2]} x {item['slow'][2]}, {span}"
        yield (
            f"    {item['ratio']:9.1f} x   {item['mismatches']} of {item['events']} spikes differ, "
            f"worst margin {item['worst_margin']:.2%}, hazard within {item['hazard_deviation']:.1e}"
        )
        if item["scaled"]:
            yield f"    {item['note']}"
    for run in ladder["runs"]:
        if run["status"] != "ok":
            what = f"{run['fidelity']} on {run['engine']}, {run['size']} x {run['size']}"
            yield f"  {what}, {run['cycles']} cycles: {run['status']}, {run['reason']}"


def _reuse_lines(reuse: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{reuse['changed']} changed cells of {reuse['size']} x {reuse['size']}: "
        f"{reuse['update_ratio']:.1f} x faster than a new elimination, within "
        f"{reuse['difference']:.0e}; new inputs take {format_si(reuse['product_seconds'], 's')}"
    )


def _loop_lines(loop: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for item in loop:
        if item["status"] != "ok":
            yield f"network loop: {item['status']}: {item['reason']}"
            continue
        minutes = 1e4 * item["cpu_seconds"] / item["images"] / 2 / 60
        yield (
            f"network loop, {item['images']} images, {item['cycles']} cycles: "
            f"{item['time_share']:.0%} of the time in products, at "
            f"{item['product_rate'] / item['machine_rate']:.0%} of the machine's "
            f"{item['machine_rate'] / 1e9:.0f} Gflop/s"
        )
        yield (
            f"  share {item['share']:.0%}; {item['peak_bytes'] / 1e6:.0f} MB; 10,000 images on two "
            f"processors: {minutes:.1f} min (scaled)"
        )


def _burst_lines(bursts: Mapping[str, Any]) -> Iterator[str]:
    if bursts["status"] != "ok":
        yield f"bursts: {bursts['status']}: {bursts['reason']}"
        return
    single, burst = (bursts["images_per_second"][str(k)] for k in (1, bursts["cycles"]))
    yield (
        f"network loop, T = {bursts['cycles']}: {single:.3g} images a second, {burst:.3g} in one "
        f"burst: {bursts['ratio']:.2f} x"
    )


def _worker_lines(workers: Mapping[str, Any]) -> Iterator[str]:
    same = "the same" if workers["identical"] else "NOT the same"
    yield (
        f"two workers over one: {workers['speedup']:.2f} x, two processes of arithmetic "
        f"{workers['machine_speedup']:.2f} x; results {same} to the bit"
    )


def _sweep_lines(sweep: Mapping[str, Any]) -> Iterator[str]:
    same = "the same" if sweep["same"] else "NOT the same"
    yield (
        f"sweep of {sweep['points']} points: {sweep['seconds']['sweep']:.0f} s, as many single "
        f"commands {sweep['seconds']['single']:.0f} s: {sweep['ratio']:.2f} x; numbers {same}"
    )


#: Sections in the order in which they are printed.
_SHOWN: dict[str, Callable[[Any], Iterator[str]]] = {
    "crossbar": _race_lines,
    "ladder": _ladder_lines,
    "reuse": _reuse_lines,
    "loop": _loop_lines,
    "bursts": _burst_lines,
    "workers": _worker_lines,
    "sweep": _sweep_lines,
}


def _aim_line(aim: Mapping[str, Any]) -> str:
    word = "reached" if aim["reached"] else "NOT reached"
    sign = ">=" if aim["more_is_better"] else "<="
    return (
        f"  {aim['what']:54} {aim['value']:8.3g} {aim['unit']:6} {sign} {aim['limit']:g}: "
        f"{word} ({aim['basis']})"
    )
