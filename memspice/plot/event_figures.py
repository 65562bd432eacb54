"""Figures of events: rates, rasters, and surrogate against SPICE one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from memspice.analysis.comparison import MARGIN
from memspice.analysis.statistics import binomial_quantile
from memspice.errors import ConfigError, ShapeError
from memspice.plot.style import (
    MUTED,
    SPICE,
    SURROGATE,
    headline,
    new_figure,
    numbers,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Share of counts that the band of the raster covers, at least.
_BAND = 0.95
#: Half-width of the pathwise figure's close view, in margins.
_CLOSE = 1.6


def rate_figure(rates: Mapping[str, tuple[float, float, float]]) -> Figure:
    """Draw the spike rate of each layer: surrogate, SPICE, and how far apart they are.

    Parameters
    ----------
    rates : mapping
        Layer name, in network order, to (rate of the surrogate, rate in SPICE, standard error of
        the rate in SPICE), all in spikes per event.

    Returns
    -------
    matplotlib.figure.Figure
        Left the rates with the 95 % interval of SPICE, right the deviation in standard errors.

    Raises
    ------
    ConfigError
        If a value is not finite or a standard error not positive.
    ShapeError
        If there is no layer, or not three values for each.
    """
    values = numbers(list(rates.values()), "rates by layer", 2)
    if values.shape[1] != 3:
        raise ShapeError(f"rates by layer have {values.shape[1]} values each; give three")
    surrogate, spice, error = values.T
    if error.min() <= 0:
        layer = list(rates)[int(error.argmin())]
        raise ConfigError(
            f"standard error of the rate of {layer} = {error.min():g} must be positive; "
            "leave out a layer whose rate cannot vary"
        )
    figure = new_figure(1.5 + 0.42 * len(rates))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
    place = np.arange(len(rates))
    left.hlines(place, 0, np.maximum(surrogate, spice), color=MUTED, linewidth=0.6, alpha=0.6)
    left.errorbar(
        spice, place, xerr=1.96 * error, fmt="o", color=SPICE, markersize=5, capsize=3,
        label="SPICE, 95 % interval",
    )  # fmt: skip
    left.plot(
        surrogate, place, "D", color=SURROGATE, markersize=8, markerfacecolor="none",
        markeredgewidth=1.4, label="surrogate",
    )  # fmt: skip
    left.set_xlim(left=0)
    left.set_yticks(place, list(rates))
    left.set_ylim(len(rates) - 0.4, -0.6)
    left.set_xlabel("spikes per event")
    deviation = (spice - surrogate) / error
    _draw_deviation(right, place, deviation)
    for axis in (left, right):
        tidy(axis, "x")
    right.tick_params(axis="y", length=0)
    worst = abs(deviation).max()
    headline(figure, f"Spike rates: SPICE within {worst:.1f} standard errors", left)
    return figure


def _draw_deviation(axis: Axes, place: np.ndarray, deviation: np.ndarray) -> None:
    reach = max(3.2, 1.15 * float(abs(deviation).max()))
    axis.axvspan(-1.96, 1.96, color=SURROGATE, alpha=0.1, linewidth=0)
    axis.axvline(0, color=SURROGATE, linewidth=1)
    axis.plot(deviation, place, "o", color=SPICE, markersize=5)
    axis.set_xlim(-reach, reach)
    axis.set_xlabel("deviation (standard errors)")
    axis.set_title("shaded: 95 %", fontsize=9, loc="left")


def raster_figure(spikes: ArrayLike, probability: ArrayLike, title: str) -> Figure:
    """Draw the spikes of a layer over the cycles, and each neuron's count against expectation.

    Parameters
    ----------
    spikes : array_like of bool, shape (cycles, neurons)
        Whether each event ended with a spike.
    probability : array_like, shape (neurons,), [1]
        Mean probability of each neuron; neurons are sorted by it, the likeliest at the top.
    title : str
        Written above.

    Returns
    -------
    matplotlib.figure.Figure
        Belongs to no window and no global state.

    Raises
    ------
    ShapeError
        If the shapes do not fit together.
    ConfigError
        If a probability is outside 0 to 1.
    """
    events = numbers(spikes, "spikes", 2) > 0
    chance = numbers(probability, "probability of the neurons")
    cycles, neurons = events.shape
    if chance.shape != (neurons,):
        raise ShapeError(f"{len(chance)} probabilities do not fit the spikes of {neurons} neurons")
    if chance.min() < 0 or chance.max() > 1:
        raise ConfigError(
            f"probabilities from {chance.min():g} to {chance.max():g} must lie in 0 to 1"
        )
    order = np.argsort(-chance, kind="stable")
    events, chance = events[:, order], chance[order]
    figure = new_figure(float(np.clip(1.6 + 0.05 * neurons, 3.4, 7.0)))
    raster, side = figure.subplots(1, 2, sharey=True, width_ratios=(2.6, 1))
    cycle, neuron = np.nonzero(events)
    height = 0.42 if neurons <= 64 else 0.5
    raster.vlines(
        cycle + 1, neuron - height, neuron + height, color="#303030",
        linewidth=float(np.clip(60 / cycles, 0.6, 2.0)),
    )  # fmt: skip
    raster.set_xlim(0.4, cycles + 0.6)
    raster.set_ylim(neurons - 0.4, -0.6)
    raster.set_xlabel("cycle")
    raster.set_ylabel("neuron, sorted by probability")
    raster.locator_params(axis="both", integer=True)
    outside = _draw_counts(side, events.sum(axis=0), chance, cycles)
    for axis in (raster, side):
        tidy(axis, "x")
    headline(figure, title)
    side.set_title(f"{outside} of {neurons} outside", fontsize=9, loc="left")
    mean, expected = events.mean(), chance.mean()
    raster.set_title(
        f"{events.sum():,} spikes in {events.size:,} events: rate {mean:.3f}, "
        f"expected {expected:.3f}",
        fontsize=9, loc="left",
    )  # fmt: skip
    return figure


def _draw_counts(axis: Axes, counts: np.ndarray, chance: np.ndarray, cycles: int) -> int:
    """Draw counts on their binomial band; return how many lie outside."""
    place = np.arange(len(counts))
    low, high = (binomial_quantile((1 + side * _BAND) / 2, cycles, chance) for side in (-1, 1))
    axis.barh(
        place, high - low + 0.6, left=low - 0.3, height=1.0, color=SURROGATE, alpha=0.16,
        linewidth=0, label="95 % band",
    )  # fmt: skip
    axis.plot(cycles * chance, place, color=SURROGATE, linewidth=1.4, label="expected")
    outside = (counts < low) | (counts > high)
    size = 3.6 if len(counts) <= 64 else 2.2
    axis.plot(counts[~outside], place[~outside], "o", color="#303030", markersize=size)
    axis.plot(counts[outside], place[outside], "o", color=SPICE, markersize=size + 1)
    axis.set_xlim(-0.5, 1.03 * cycles + 0.5)
    axis.set_xlabel("spikes of a neuron")
    axis.locator_params(axis="x", integer=True)
    axis.tick_params(axis="y", length=0)
    axis.legend(loc="lower right", frameon=False, fontsize=8.5)
    return int(outside.sum())


def pathwise_figure(
    surrogate_hazard: ArrayLike,
    spice_hazard: ArrayLike,
    thresholds: ArrayLike,
    spikes_surrogate: ArrayLike,
    spikes_spice: ArrayLike,
) -> Figure:
    """Draw the hazard integrals of SPICE over those of the surrogate, event by event.

    All arrays have the same shape; the order of events does not matter.

    Parameters
    ----------
    surrogate_hazard, spice_hazard : array_like, [1]
        Hazard integrals ``H``.
    thresholds : array_like, [1]
        Draws ``E``; a device switches where ``H >= E``.
    spikes_surrogate, spikes_spice : array_like of bool
        Whether each event ended with a spike.

    Returns
    -------
    matplotlib.figure.Figure
        Left all events against ``H / E`` of the surrogate, right those near the threshold, where
        the margin allows a disagreement.

    Raises
    ------
    ShapeError
        If the shapes differ or there is no event.
    ConfigError
        If a hazard integral of the surrogate or a threshold is not positive, or any value is not
        finite.
    """
    names = ("surrogate hazard", "SPICE hazard", "thresholds", "surrogate spikes", "SPICE spikes")
    given = (surrogate_hazard, spice_hazard, thresholds, spikes_surrogate, spikes_spice)
    shapes = sorted({np.shape(array) for array in given})
    if len(shapes) != 1:
        raise ShapeError(f"events to compare have different shapes: {shapes}")
    model, spice, draw, first, second = (
        numbers(np.ravel(array), name) for name, array in zip(names, given, strict=True)
    )
    for name, array in (("surrogate hazard", model), ("thresholds", draw)):
        if array.min() <= 0:
            raise ConfigError(f"{name} = {array.min():g} must be positive")
    ratio, deviation = model / draw, 100 * (spice / model - 1)
    kinds = (first > 0) + 2 * ((first > 0) != (second > 0))
    reach = _reach(deviation, kinds)
    drawn = np.clip(deviation, -reach, reach)
    figure = new_figure(4.2)
    whole, close = figure.subplots(1, 2, width_ratios=(1.25, 1), sharey=True)
    _draw_events(whole, ratio, drawn, kinds)
    _draw_events(close, 100 * (ratio - 1), drawn, kinds)
    _finish_whole(whole, deviation, reach)
    _finish_close(close)
    differ = int((kinds >= 2).sum())
    title = f"{differ} of {len(kinds):,} spikes differ between surrogate and SPICE"
    headline(figure, title, whole, handletextpad=0.2)
    return figure


def _reach(deviation: np.ndarray, kinds: np.ndarray) -> float:
    """Deviation [%] that the figure shows: of all events, or without a few that lie far out."""
    far = np.abs(deviation)
    usual = max(5 * float(np.quantile(far, 0.99)), float(far[kinds >= 2].max(initial=0.0)))
    return max(min(float(far.max()), usual), 1e-4)


def _draw_events(axis: Axes, x: np.ndarray, y: np.ndarray, kinds: np.ndarray) -> None:
    """Draw events by kind: 0 no spike in either, 1 a spike in both, more where they differ."""
    looks = (
        (kinds == 0, "o", "none", "#7a7a7a", 3.0, "no spike in either"),
        (kinds == 1, "o", "#303030", "#303030", 3.0, "spike in both"),
        (kinds >= 2, "X", SPICE, "white", 9.0, "differ"),
    )
    for mask, marker, face, edge, size, name in looks:
        axis.plot(
            x[mask], y[mask], marker, markerfacecolor=face, markeredgecolor=edge,
            markeredgewidth=0.6, markersize=size, alpha=1.0 if mask is looks[2][0] else 0.7,
            rasterized=True, label=f"{name} ({mask.sum():,})",
            zorder=4 if mask is looks[2][0] else 2,
        )  # fmt: skip


def _finish_whole(axis: Axes, deviation: np.ndarray, reach: float) -> None:
    axis.set_xscale("log")
    axis.axvline(1, color=SURROGATE, linewidth=1)
    axis.axhline(0, color=MUTED, linewidth=0.8)
    axis.set_ylim(-1.2 * reach, 1.2 * reach)
    axis.set_xlabel("H / E of the surrogate")
    axis.set_ylabel("H in SPICE / H of the surrogate − 1 (%)")
    beyond = int((abs(deviation) > reach).sum())
    text = f"all events: within {abs(deviation).max():.2g} %"
    text += f", {beyond} drawn at the edge" if beyond else ""
    axis.set_title(text, fontsize=9, loc="left")
    tidy(axis)


def _finish_close(axis: Axes) -> None:
    """Mark the margin, and the line on which SPICE reaches the threshold."""
    reach, margin = 100 * _CLOSE * MARGIN, 100 * MARGIN
    axis.axvspan(-margin, margin, color=SURROGATE, alpha=0.12, linewidth=0)
    axis.axvline(0, color=SURROGATE, linewidth=1)
    axis.axhline(0, color=MUTED, linewidth=0.8)
    x = np.linspace(-reach, reach, 200)
    axis.plot(x, 100 * (1 / (1 + x / 100) - 1), color=SPICE, linewidth=1, linestyle=(0, (4, 3)))
    axis.set_xlim(-reach, reach)
    axis.set_xlabel("H / E of the surrogate − 1 (%)")
    axis.set_title(f"near the threshold; shaded: margin of {margin:g} %", fontsize=9, loc="left")
    axis.annotate(
        "SPICE reaches E\nabove this line", (0.98, 0.04), xycoords="axes fraction",
        ha="right", va="bottom", fontsize=8.5, color=SPICE,
    )  # fmt: skip
    tidy(axis)
