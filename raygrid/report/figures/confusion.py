"""Confusion matrices averaged over folds: one row for each data set, one column for each resampler."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raygrid.axes import IMBALANCE, level_phrase
from raygrid.report.figures.figure import BASELINE, Figure, basis, colour_bar, of_arm, panels, render
from raygrid.report.render import printed
from raygrid.report.results import Results
from raygrid.storage.record import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

By = Literal["rank", "name"]
Matrix = NDArray[np.float64]

_SIDE = 1.35  # of a matrix, in inches, with the gap to the next
_MATRIX = 0.88  # of that, the matrix
_MARGINS = (1.05, 0.8, 0.05, 0.3)
_NAMED = 12  # more classes have no room for names
_SAYS = {
    "rank": "Classes stand from the largest of each fold (1) to the smallest, whichever they are",
    "name": "Classes stand by name, the same in every fold",
}


def confusion_matrices(results: Results, arm: tuple[str, str], *, by: By, level: float | str | None = None) -> Figure:
    """Draw the mean over folds of one arm's confusion matrices, rows scaled to 1, at the last level by default."""
    level = results.places[IMBALANCE].max() if level is None else level
    places = of_arm(results.places[results.places[IMBALANCE] == level], arm)
    datasets, resamplers = (list(dict.fromkeys(places[axis])) for axis in ("dataset", "resampler"))
    matrices = {
        at: _mean(lines, results.records, by) for at, lines in places.groupby(["dataset", "resampler"], sort=False)
    }
    names = {dataset: _names(lines, results.records, by) for dataset, lines in places.groupby("dataset", sort=False)}

    def draw(canvas: "Canvas") -> None:
        axes, colours = panels(canvas, 1, 1, _MARGINS)[0, 0], _colours()
        axes.set(xlim=(0, len(resamplers)), ylim=(len(datasets), 0), aspect="equal")
        axes.axis("off")
        for row, dataset in enumerate(datasets):
            _class_names(axes, names[dataset], row)
            axes.text(-0.6, row + _MATRIX / 2, dataset, fontweight="bold", rotation=90, ha="center", va="center")
            for column, resampler in enumerate(resamplers):
                _matrix(axes, matrices.get((dataset, resampler)), colours, row, column)
        for column, resampler in enumerate(resamplers):
            axes.text(column + _MATRIX / 2, -0.07, printed("resampler", resampler), fontweight="bold", ha="center")
        colour_bar(canvas, [axes], colours, "Share of the true class")

    at = level_phrase(IMBALANCE, level)
    caption = (
        f"Of the samples of each true class (row), the share given each class (column), at {at}, the mean over "
        f"folds. {_SAYS[by]}; columns are in the order of the rows, colours on the scale of the square root. "
        f"{BASELINE} {basis(places)}"
    )
    title = f"Confusion by class {by}: {' · '.join(arm)}, {at}"
    size = (_SIDE * len(resamplers) + _MARGINS[0] + _MARGINS[1], _SIDE * len(datasets) + _MARGINS[2] + _MARGINS[3])
    return render(f"confusion-{by}-{'-'.join(arm)}", title=title, caption=caption, size=size, draw=draw)


def normalised(record: Record, by: By) -> Matrix:
    """Return the confusion matrix with rows scaled to 1 (NaN where empty), its classes in the order asked for."""
    confusion = np.array(record.confusion, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        shares: Matrix = confusion / confusion.sum(axis=1, keepdims=True)
    return shares if by == "name" else shares[np.ix_(record.class_order, record.class_order)]


def _mean(lines: pd.DataFrame, records: Mapping[str, Record], by: By) -> Matrix | None:
    """Return the mean over the cells that are done, if any is."""
    done = lines["key"][lines["status"] == "done"]
    return np.mean([normalised(records[key], by) for key in done], axis=0) if len(done) else None


def _names(lines: pd.DataFrame, records: Mapping[str, Record], by: By) -> list[str]:
    """Return what the classes of a data set are called, none if nothing of it is done."""
    done = lines["key"][lines["status"] == "done"]
    names = records[done.iloc[0]].class_names if len(done) else []
    return names if by == "name" else [str(rank) for rank in range(1, len(names) + 1)]


def _colours() -> dict[str, Any]:
    """Return how shares become colours, spread out where they are small: that is where the confusions are."""
    from matplotlib.colors import PowerNorm

    return {"norm": PowerNorm(0.5, vmin=0, vmax=1), "cmap": "cividis"}


def _matrix(axes: "Axes", matrix: Matrix | None, colours: dict[str, Any], row: int, column: int) -> None:
    """Draw one matrix, or say that there is none."""
    if matrix is None:
        axes.text(column + _MATRIX / 2, row + _MATRIX / 2, "nothing\ndone", ha="center", va="center", alpha=0.7)
        return
    extent = (column, column + _MATRIX, row + _MATRIX, row)
    axes.imshow(matrix, extent=extent, interpolation="none", aspect="equal", **colours)


def _class_names(axes: "Axes", names: Sequence[str], row: int) -> None:
    """Write the names of the classes left of a row of matrices, or, of many, the first and the last."""
    for i in range(len(names)) if len(names) <= _NAMED else (0, len(names) - 1):
        at = (i + 0.5) / len(names) * _MATRIX
        axes.text(-0.04, row + at, names[i], fontsize=6, ha="right", va="center")
