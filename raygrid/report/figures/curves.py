"""Loss and metrics of networks by epoch, on what they are trained on and on the validation part."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raygrid.axes import IMBALANCE, level_phrase
from raygrid.report.figures.figure import BASELINE, Figure, basis
from raygrid.report.figures.lines import End, line_panels
from raygrid.report.figures.style import Style
from raygrid.report.render import printed
from raygrid.report.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TRAIN: dict[str, Any] = {"alpha": 0.4, "linewidth": 0.9}  # behind the validation part, if there is one


def curves_by_epoch(results: Results, measure: str) -> Figure | None:
    """Draw ``loss``, or a metric of every record, at the level of imbalance with the highest ratio.

    Returns None where no network has curves.
    """
    curves = {key: record.curves for key, record in results.records.items() if record.curves}
    places = results.places[results.places["key"].isin(curves.keys())]
    if places.empty:
        return None
    level = places[IMBALANCE].max()
    places = places[places[IMBALANCE] == level]
    at = level_phrase(IMBALANCE, level)
    caption = (
        f"{measure} after each epoch at {at}, the mean over the folds that are trained that long. Strong: of the "
        "validation part, where there is one; faint: of the training part, while it is trained on (with what the "
        "network's settings do to its loss, images and labels). Each fold has a marker at the epoch whose weights it "
        f"keeps, at its own value. {BASELINE} {basis(places)}"
    )
    return line_panels(
        places.assign(value=[curves[key] for key in places["key"]], measure=measure),
        _draw,
        name=f"curves-{measure}",
        title=f"{measure[0].upper()}{measure[1:]} by epoch at {at}",
        caption=caption,
        x_label="Epoch",
        y_label=f"{measure[0].upper()}{measure[1:]}",
    )


def mean_of(folds: Sequence[Sequence[float | None]]) -> NDArray[np.float64]:
    """Return the mean of each epoch over the folds that have it; NaN where none has a value."""
    rows = np.full((len(folds), max(map(len, folds))), np.nan)
    for row, values in zip(rows, folds, strict=True):
        row[: len(values)] = [np.nan if value is None else value for value in values]
    has = ~np.isnan(rows)
    return np.where(has.any(axis=0), np.where(has, rows, 0).sum(axis=0) / np.maximum(has.sum(axis=0), 1), np.nan)


def _draw(axes: "Axes", part: pd.DataFrame, looks: dict[str, Style]) -> Sequence[End]:
    """Draw one panel; return where its lines end."""
    ends = []
    for resampler, lines in part.groupby("resampler", sort=False):
        look, curves, measure = looks[str(resampler)], lines["value"].tolist(), lines["measure"].iloc[0]
        shown, means = "train", mean_of([each.train[measure] for each in curves])
        if all(each.validation for each in curves):
            axes.plot(np.arange(len(means)) + 1, means, color=look.colour, **_TRAIN)
            shown, means = "validation", mean_of([each.validation[measure] for each in curves])
        axes.plot(np.arange(len(means)) + 1, means, color=look.colour, linestyle=look.dash)
        values = [getattr(each, shown)[measure][each.kept - 1] for each in curves]
        kept = [(each.kept, value) for each, value in zip(curves, values, strict=True) if value is not None]
        axes.plot(*np.array(kept).reshape(-1, 2).T, look.marker, color=look.colour, alpha=0.6)
        ends.append(End(printed("resampler", str(resampler)), len(means), means[-1], look))
    axes.locator_params(axis="x", integer=True, nbins=11)
    return ends
