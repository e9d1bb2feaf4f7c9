"""Loss and metrics of networks by epoch, on what they are trained on and on the validation part."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raygrid.axes import IMBALANCE, level_phrase
from raygrid.report.figures.figure import BASELINE, Figure, basis
from raygrid.report.figures.lines import End, line_panels
from raygrid.report.figures.style import Style
from raygrid.report.render import printed
from raygrid.report.results import Results
from raygrid.storage.record import Curves

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
        "network's settings do to its loss, images and labels). The marker is at the epoch whose weights are kept, the "
        f"mean over folds. {BASELINE} {basis(places)}"
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
        look, curves = looks[str(resampler)], lines["value"].tolist()
        means = _mean_of_part(curves, "train", lines["measure"].iloc[0])
        if all(each.validation for each in curves):
            axes.plot(np.arange(len(means)) + 1, means, color=look.colour, **_TRAIN)
            means = _mean_of_part(curves, "validation", lines["measure"].iloc[0])
        kept = round(float(np.mean([each.kept for each in curves]))) - 1
        epochs = np.arange(len(means)) + 1
        axes.plot(epochs, means, color=look.colour, linestyle=look.dash, marker=look.marker, markevery=[kept])
        ends.append(End(printed("resampler", str(resampler)), len(means), means[-1], look))
    axes.locator_params(axis="x", integer=True, nbins=11)
    return ends


def _mean_of_part(curves: Sequence[Curves], part: Literal["train", "validation"], measure: str) -> NDArray[np.float64]:
    return mean_of([getattr(each, part)[measure] for each in curves])
