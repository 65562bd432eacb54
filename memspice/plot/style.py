"""What the figures and the page of a report share: colours, names, units, axes, files."""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.errors import ConfigError, ShapeError
from memspice.outputs import replacing, writing
from memspice.quantities import format_si

# matplotlib is imported where it draws: it would add half a second to every other command.
if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito's palette (2008), told apart by the colour-blind: array blue, neurons warm.
COMPONENT_COLORS = dict(
    zip(
        NETWORK_COMPONENTS,
        (
            *("#56b4e9", "#0072b2", "#009e73", "#d55e00", "#e69f00", "#cc79a7", "#595959"),
            "#f0e442",
        ),
        strict=True,
    )
)
COMPONENT_NAMES = {name: name.replace("_", " ") for name in NETWORK_COMPONENTS}
#: As in the figure of the transfer curve: the closed form is blue, what SPICE gave vermilion.
SURROGATE, SPICE, MUTED = "#0072b2", "#d55e00", "#8c8c8c"
#: As in the figures of stored waveforms.
PHASE_COLORS = {"write": "#4c78a8", "read": "#f2a541", "reset": "#9d9d9d"}
#: Width of a figure [inch]: text of 9 to 10 points stays readable on a phone's width.
WIDTH = 7.2
#: Resolution in a notebook: a figure is then twice as fine as its width on a page.
_SHOWN_DPI = 200
#: What a format is told, for the same figure to be the same bytes on any day.
_UNDATED: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}


def si(value: float, unit: str, digits: int = 3) -> str:
    """Value with an SI prefix and typographic units, for people.

    Examples
    --------
    >>> si(5.314e-6, "J"), si(1060, "ohm")
    ('5.31 µJ', '1.06 kΩ')
    """
    return format_si(value, unit, digits).replace(" u", " µ").replace("ohm", "Ω")


def numbers(values: ArrayLike, what: str, dimensions: int = 1) -> np.ndarray:
    """Return values as a float64 array that can be drawn.

    Parameters
    ----------
    values : array_like
        Numbers, with ``dimensions`` axes.
    what : str
        Name for the message.
    dimensions : int
        Number of axes.

    Raises
    ------
    ShapeError
        If there are other axes, or no value.
    ConfigError
        If a value is not a number or not finite.
    """
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{what} cannot be drawn: {error}; give numbers") from error
    if array.ndim != dimensions or not array.size:
        raise ShapeError(
            f"{what} has shape {array.shape}; give {dimensions} axes and at least one value"
        )
    if not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise ConfigError(f"{what} has {bad} of {array.size} values that are not finite")
    return array


@contextmanager
def own_style() -> Iterator[None]:
    """Draw with matplotlib as it comes, whatever the user's settings of it are.

    Jupyter names a backend to its children that they may not have, and a ``matplotlibrc`` in the
    current folder may ask for TeX or hold nonsense: both decide while matplotlib is imported.
    """
    if "matplotlib" not in sys.modules:
        _import_untouched()
    import matplotlib

    kept = {"backend", "backend_fallback", "interactive", "toolbar", "timezone"}
    defaults = {k: v for k, v in matplotlib.rcParamsDefault.items() if k not in kept}
    with matplotlib.rc_context(defaults):
        yield


def _import_untouched() -> None:
    """Import matplotlib from the folder of its own settings: the current one's come first."""
    found = importlib.util.find_spec("matplotlib")
    backend = os.environ.pop("MPLBACKEND", None)
    here = os.open(os.curdir, os.O_RDONLY) if os.chdir in os.supports_fd else os.getcwd()
    try:
        if found and found.origin:
            os.chdir(Path(found.origin).parent / "mpl-data")
        importlib.import_module("matplotlib")
    finally:
        os.chdir(here)
        if isinstance(here, int):
            os.close(here)
        if backend is not None:
            os.environ["MPLBACKEND"] = backend


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Empty figure outside any global state, which a notebook shows all the same.

    Parameters
    ----------
    height, width : float, [inch]
        By default as wide as those of the report.
    """
    return _shown_figure()(figsize=(width, height), layout="constrained")


@cache
def _shown_figure() -> type[Figure]:
    """Class of figures that know their picture: matplotlib's own are shown by way of pyplot."""
    from matplotlib.figure import Figure

    class ShownFigure(Figure):
        def _repr_png_(self) -> bytes:
            picture = io.BytesIO()
            with own_style():
                self.savefig(picture, format="png", dpi=_SHOWN_DPI)
            return picture.getvalue()

    return ShownFigure


def headline(figure: Figure, title: str, key: Axes | None = None, **options: float) -> None:
    """Write the title of a figure at its left, and below it the key to the lines of one axis.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Has its axes already.
    title : str
        What the figure shows, best as a finding.
    key : matplotlib.axes.Axes, optional
        Whose labelled artists the key names, in one line.
    **options : float
        Further options of the legend, or others than one line of all names (``ncols``).
    """
    if key is None:
        figure.suptitle(title, fontsize=11, x=0.012, ha="left", fontweight="bold")
        return
    handles, names = key.get_legend_handles_labels()
    # The title is the legend's own: one outside the axes would lie on a figure's title.
    look = {"ncols": len(names), "fontsize": 9, **options}
    figure.legend(
        handles, names, loc="outside upper left", frameon=False, borderpad=0.2, title=title,
        alignment="left", title_fontproperties={"weight": "bold", "size": 11}, **look,
    )  # fmt: skip


def tidy(axis: Axes, grid: str = "both") -> None:
    """Draw a faint grid (``"x"``, ``"y"`` or ``"both"``) and no upper and right spine."""
    axis.grid(axis=grid, alpha=0.25, linewidth=0.6)  # type: ignore[arg-type]
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=9)


def save(figure: Figure, *paths: Path, dpi: int = 150) -> None:
    """Write a figure to files and empty it; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Cannot be used afterwards.
    *paths : Path
        The suffix of each decides its format (png, svg, pdf); missing folders are made.
    dpi : int
        Dots per inch.

    Raises
    ------
    ConfigError
        If matplotlib does not know a format.
    StoreError
        If a file cannot be written.
    """
    known = figure.canvas.get_supported_filetypes()
    for path in paths:
        if _suffix(path) not in known:
            raise ConfigError(f"{path} has no known image format; use one of {', '.join(known)}")
    for path in paths:
        _write(figure, path, dpi)
    figure.clear()


def _suffix(path: Path) -> str:
    return path.suffix.lstrip(".").lower()


def _write(figure: Figure, path: Path, dpi: int) -> None:
    import matplotlib

    with writing(path, lambda: "Make room, or name another folder or file"):
        path.parent.mkdir(parents=True, exist_ok=True)
        # The names inside an SVG are else drawn by lot.
        unique = matplotlib.rc_context({"svg.hashsalt": "memspice"})
        with replacing(path) as temporary, unique:
            figure.savefig(
                temporary, format=_suffix(path), dpi=dpi, metadata=_UNDATED.get(_suffix(path))
            )
