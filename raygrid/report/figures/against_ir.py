"""A metric against IR: the mean over folds and its spread."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raygrid.axes import IMBALANCE, level_name
from raygrid.metrics.further import range_of
from raygrid.report.figures.figure import BASELINE, Figure, basis
from raygrid.report.figures.lines import End, line_panels
from raygrid.report.figures.style import PAPER, Style
from raygrid.report.render import printed
from raygrid.report.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DODGE = 0.013  # in widths of a panel, between the points of one resampler and the next
_TICKS_APART = 0.07


def metric_against_ir(results: Results, metric: str) -> Figure:
    """Draw the mean over folds with its sample standard deviation, a line a resampler."""
    lines = results.frame[results.frame["metric"] == metric]
    caption = (
        f"{metric} against the imbalance ratio: the mean over the folds of a data set; a bar reaches one sample "
        "standard deviation over these folds up and down, but not beyond what the metric can be. The panels of a data "
        "set share their scale. Points are moved sideways a little to keep the bars apart; a hollow one stands on "
        "fewer folds than declared. "
        f"{BASELINE} {basis(lines)}"
    )
    return line_panels(
        lines,
        partial(_draw, bounds=range_of(metric)),
        name=f"ir-{metric}",
        title=f"{metric} against IR",
        caption=caption,
        x_label="Imbalance ratio (log scale)",
        y_label=metric,
    )


def _draw(
    axes: "Axes", part: pd.DataFrame, looks: dict[str, Style], bounds: tuple[float, float] = (0, 1)
) -> Sequence[End]:
    """Draw one panel; return where its lines end."""
    ratios = part.groupby(IMBALANCE, observed=True)["ratio"].mean()  # in the order of the levels
    places = _spaced(ratios.to_numpy())
    place_of = dict(zip(ratios.index, places, strict=True))
    by_resampler = part.groupby(["resampler", IMBALANCE], sort=False)["value"].agg(["mean", "std", "count", "size"])
    ends = []
    resamplers = list(dict.fromkeys(part["resampler"]))
    for i, resampler in enumerate(resamplers):
        points = by_resampler.loc[resampler].sort_index()
        points = points[points["count"] > 0]
        if len(points):
            at = np.array([place_of[level] for level in points.index]) + (i - (len(resamplers) - 1) / 2) * _DODGE
            _line(axes, at, points, looks[resampler], bounds)
            ends.append(End(printed("resampler", resampler), at[-1], points["mean"].iloc[-1], looks[resampler]))
    axes.set_xlim(-0.06, 1.06)
    ticks = _thinned(places)
    axes.set_xticks(places[ticks], [level_name(ratios.index[tick]) for tick in ticks])
    return ends


def _line(
    axes: "Axes", at: NDArray[np.float64], points: pd.DataFrame, look: Style, bounds: tuple[float, float]
) -> None:
    """Draw one line: its spread behind, its points filled where they stand on every fold."""
    means, spreads = points["mean"].to_numpy(), points["std"].fillna(0).to_numpy()
    axes.plot(at, means, color=look.colour, linestyle=look.dash, zorder=3)
    low, high = np.clip([means - spreads, means + spreads], *bounds)
    axes.vlines(at, low, high, color=look.colour, linewidth=0.9, alpha=0.75)
    complete = (points["count"] == points["size"]).to_numpy()
    for chosen, fill in ((complete, look.colour), (~complete, PAPER)):
        if chosen.any():
            axes.plot(at[chosen], means[chosen], look.marker, color=look.colour, markerfacecolor=fill, zorder=4)


def _spaced(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places in [0, 1], as on a logarithmic scale; equally far apart where two levels have one ratio."""
    if len(ratios) == 1:
        return np.array([0.5])
    if not np.isfinite(ratios).all() or (np.diff(ratios) <= 0).any():
        return np.linspace(0, 1, len(ratios))
    low, high = np.log(ratios[0]), np.log(ratios[-1])
    return np.asarray((np.log(ratios) - low) / (high - low))


def _thinned(places: NDArray[np.float64]) -> list[int]:
    """Return the positions of the ticks whose labels do not run into the one before."""
    kept: list[int] = []
    for i, place in enumerate(places):
        if not kept or place - places[kept[-1]] >= _TICKS_APART:
            kept.append(i)
    return kept
