"""Panels of lines, one for each data set and arm; every line has its own label."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raygrid.report.figures.figure import DOUBLE, LETTER, SINGLE, Figure, arms_of, heading, of_arm, panels, render
from raygrid.report.figures.fitting import cut, extra_height, width_of, wrapped
from raygrid.report.figures.style import INK, Style, styles
from raygrid.report.render import printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_SIDE_BY_SIDE = 2  # panels; a third would have no room for its labels
_HEIGHT, _BETWEEN = 1.3, 0.42  # of a panel, and from one to the next below it, in inches
_NARROWEST = 1.3  # panel, in inches
_LEFT, _BOTTOM, _TOP = 0.5, 0.4, 0.25
_KEY, _TEXT = 0.1, 0.16  # from a panel to the marker of a label, and to its text, in inches
_LABEL_GAP = 0.13 / _HEIGHT  # in heights of a panel: a line of text


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
    tick_letters: int = 0,
    **described: str,
) -> Figure:
    """Draw a panel for each data set and arm, those of a data set on one scale.

    Parameters
    ----------
    frame : DataFrame
        Columns dataset, representation, classifier, resampler, value, and what `draw` needs.
    draw : callable
        Gets the axes, the lines of the frame that belong there, and each resampler's style; returns the lines' ends.
    tick_letters : int
        Of the longest name below a panel, if names stand there, upright.
    described : str
        name, title and caption.
    """
    arms, datasets = arms_of(frame), list(dict.fromkeys(frame["dataset"]))
    looks = styles(frame["resampler"])
    longest = LETTER + max(width_of(printed("resampler", name)) for name in looks)
    width, n_columns, right = _beside(len(arms), _TEXT + longest)
    n_rows = -(-len(arms) // n_columns) * len(datasets)
    panel_width = (width - n_columns * (_LEFT + right)) / n_columns
    titles = {(dataset, arm): wrapped(_title(dataset, arm), panel_width) for dataset in datasets for arm in arms}
    names, top = LETTER * tick_letters, _TOP + extra_height(titles.values())
    bottom, between = _BOTTOM + names, _BETWEEN + names + top - _TOP
    height = top + bottom + n_rows * (_HEIGHT + between) - between

    def fill(canvas: "Canvas") -> None:
        spaces = {"wspace": (_LEFT + right) / panel_width, "hspace": between / _HEIGHT}
        grid = panels(canvas, n_rows, n_columns, (_LEFT, right, bottom, top), gridspec_kw=spaces)
        rows_of_each = n_rows // len(datasets)
        ends: dict[Axes, Sequence[End]] = {}
        for i, dataset in enumerate(datasets):
            those = list(grid[i * rows_of_each : (i + 1) * rows_of_each].flat)
            for axes, arm in zip(those, arms, strict=False):
                _prepare(axes, titles[dataset, arm], those[0])
                ends[axes] = draw(axes, of_arm(frame[frame["dataset"] == dataset], arm), looks)
            for axes in those[len(arms) :]:
                axes.remove()
        for axes in grid[:, 0]:
            axes.set_ylabel(y_label)
        for axes in list(ends)[-n_columns:]:
            axes.set_xlabel(x_label)
        # Only now is the scale of a data set known, on which labels keep their distance.
        for axes, those_ends in ends.items():
            _label(axes, those_ends, panel_width, room=right - _TEXT)

    return render(size=(width, height), draw=fill, **described)


def _beside(n_arms: int, right: float) -> tuple[float, int, float]:
    """Return the width of the figure, how many panels stand side by side, and the room for the labels of each."""
    narrow, wide = SINGLE - _LEFT - _NARROWEST, DOUBLE - _LEFT - _NARROWEST
    if n_arms > 1 and right <= DOUBLE / _SIDE_BY_SIDE - _LEFT - _NARROWEST:
        return DOUBLE, _SIDE_BY_SIDE, right
    return (SINGLE, 1, right) if n_arms == 1 and right <= narrow else (DOUBLE, 1, min(right, wide))


def _title(dataset: str, arm: tuple[str, str]) -> str:
    return f"{dataset}: {' · '.join(arm)}"


def _prepare(axes: "Axes", title: str, first: "Axes") -> None:
    """Give empty axes a title, the scale of the first of their data set, and faint lines to read values by."""
    if axes is not first:
        axes.sharey(first)
    heading(axes, title)
    axes.grid(axis="y", color=INK, alpha=0.15, linewidth=0.5)


def _label(axes: "Axes", ends: Sequence[End], width: float, *, room: float) -> None:
    """Write each line's label beside its end, with its marker, joined to it by a thin line."""
    from matplotlib.collections import LineCollection

    if not ends:
        axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center")
        return
    axes.autoscale_view()  # or the limits would be brought up to date only after this has used them
    key_at, text_at = 1 + _KEY / width, 1 + _TEXT / width
    to_axes = axes.transLimits.transform
    points = [to_axes((end.x, end.y)) for end in ends]
    heights = apart(np.array([y for _, y in points]), gap=_LABEL_GAP)
    off: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False}
    leaders = [[(x + 0.01, y), (key_at, height)] for (x, y), height in zip(points, heights, strict=True)]
    axes.add_artist(LineCollection(leaders, colors=INK, linewidths=0.4, alpha=0.4, **off))
    for end, height in zip(ends, heights, strict=True):
        axes.plot([key_at], [height], color=end.style.colour, marker=end.style.marker, **off)
        axes.text(text_at, height, cut(end.label, room), va="center", transform=axes.transAxes)


def apart(wanted: NDArray[np.float64], *, gap: float) -> NDArray[np.float64]:
    """Return heights in [0, 1] that lie a gap apart, or less if need be, and (least squares) near those wanted."""
    from scipy.optimize import isotonic_regression

    order = np.argsort(wanted, kind="stable")
    steps = np.arange(len(wanted)) * min(gap, 1 / max(1, len(wanted) - 1))
    fitted = np.clip(isotonic_regression(wanted[order] - steps).x, 0, max(0.0, 1 - steps[-1]))
    heights = np.empty_like(fitted)
    heights[order] = fitted + steps
    return heights
