"""Panels of lines, one for each data set and arm; every line has its own label."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raygrid.report.figures.figure import Figure, arms_of, heading, of_arm, panels, render
from raygrid.report.figures.style import INK, Style, styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_PANEL = (4.1, 2.4)  # width and height in inches, its share of the margins included
_MARGINS = (0.7, 0.8, 0.5, 0.3)
_KEY_AT, _TEXT_AT = 1.06, 1.09  # in widths of a panel
_LABEL_GAP = 0.1  # in heights of a panel: a line of text


@dataclass(frozen=True)
class End:
    """Where a line ends, in data coordinates, and how it is called and looks."""

    label: str
    x: float
    y: float
    style: Style


def line_panels(
    frame: pd.DataFrame,
    draw: Callable[["Axes", pd.DataFrame, dict[str, Style]], Sequence[End]],
    *,
    x_label: str,
    y_label: str,
    **described: str,
) -> Figure:
    """Draw rows of data sets, one scale a row, and columns of arms.

    Parameters
    ----------
    frame : DataFrame
        Columns dataset, representation, classifier, resampler, value, and what `draw` needs.
    draw : callable
        Gets the axes, the lines of the frame that belong there, and each resampler's style; returns the lines' ends.
    described : str
        name, title and caption.
    """
    arms, datasets = arms_of(frame), list(dict.fromkeys(frame["dataset"]))
    looks = styles(frame["resampler"])

    def fill(canvas: "Canvas") -> None:
        spaces = {"wspace": 0.38, "hspace": 0.36}
        grid = panels(canvas, len(datasets), len(arms), _MARGINS, sharey="row", gridspec_kw=spaces)
        places = [(dataset, arm) for dataset in datasets for arm in arms]
        ends = [
            draw(
                _prepared(axes, f"{dataset}: {' · '.join(arm)}"), of_arm(frame[frame["dataset"] == dataset], arm), looks
            )
            for axes, (dataset, arm) in zip(grid.flat, places, strict=True)
        ]
        for axes in grid[-1]:
            axes.set_xlabel(x_label)
        for axes in grid[:, 0]:
            axes.set_ylabel(y_label)
        # Only now is the scale of a row known, on which labels keep their distance.
        for axes, those in zip(grid.flat, ends, strict=True):
            _label(axes, those)

    size = (_MARGINS[0] + _PANEL[0] * len(arms), _MARGINS[2] + _PANEL[1] * len(datasets))
    return render(size=size, draw=fill, **described)


def _prepared(axes: "Axes", title: str) -> "Axes":
    """Return empty axes with a title, and faint lines to read values by."""
    heading(axes, title)
    axes.grid(axis="y", color=INK, alpha=0.15, linewidth=0.6)
    axes.tick_params(labelleft=True)
    return axes


def _label(axes: "Axes", ends: Sequence[End]) -> None:
    """Write each line's label beside its end, with its marker, joined to it by a thin line."""
    from matplotlib.collections import LineCollection

    if not ends:
        axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center")
        return
    axes.autoscale_view()  # or the limits would be brought up to date only after this has used them
    to_axes = axes.transLimits.transform
    points = [to_axes((end.x, end.y)) for end in ends]
    heights = apart(np.array([y for _, y in points]), gap=_LABEL_GAP)
    off: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False}
    leaders = [[(x + 0.01, y), (_KEY_AT, height)] for (x, y), height in zip(points, heights, strict=True)]
    axes.add_artist(LineCollection(leaders, colors=INK, linewidths=0.5, alpha=0.4, **off))
    for end, height in zip(ends, heights, strict=True):
        axes.plot([_KEY_AT], [height], color=end.style.colour, marker=end.style.marker, **off)
        axes.text(_TEXT_AT, height, end.label, va="center", fontsize=8, transform=axes.transAxes)


def apart(wanted: NDArray[np.float64], *, gap: float) -> NDArray[np.float64]:
    """Return heights in [0, 1] that lie a gap apart, or less if need be, and (least squares) near those wanted."""
    from scipy.optimize import isotonic_regression

    order = np.argsort(wanted, kind="stable")
    steps = np.arange(len(wanted)) * min(gap, 1 / max(1, len(wanted) - 1))
    fitted = np.clip(isotonic_regression(wanted[order] - steps).x, 0, max(0.0, 1 - steps[-1]))
    heights = np.empty_like(fitted)
    heights[order] = fitted + steps
    return heights
