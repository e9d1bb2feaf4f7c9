"""Confusion matrices averaged over folds, a panel for each resampler, with labelled classes and linear colours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raygrid.axes import IMBALANCE, level_phrase
from raygrid.errors import printable
from raygrid.report.figures.figure import (
    BASELINE,
    DOUBLE,
    FONT_PT,
    LETTER,
    Figure,
    basis,
    colour_bar,
    heading,
    of_arm,
    panels,
    render,
    short,
)
from raygrid.report.figures.fitting import LINE, extra_height, wrapped
from raygrid.report.figures.style import legible_on
from raygrid.report.render import printed
from raygrid.report.results import Results
from raygrid.storage.record import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas
    from matplotlib.path import Path

By = Literal["rank", "name"]
Matrix = NDArray[np.float64]

_GAP, _LARGEST, _SMALLEST = 0.12, 1.9, 0.75  # between matrices, and the side of one, in inches
_AXIS, _TITLE, _SCALE = 0.2, 0.2, 0.7  # room for the name of an axis, for a title, and for the scale of colours
_SAYS = {
    "rank": "Classes stand from the largest of each fold (1) to the smallest, whichever they are",
    "name": "Classes stand by name, the same in every fold",
}


@dataclass(frozen=True)
class _Panel:
    """One matrix under its title; None where nothing is done."""

    title: str
    names: Sequence[str]
    matrix: Matrix | None


def confusion_by_rank(results: Results, arm: tuple[str, str], *, level: float | str | None = None) -> Figure:
    """Draw one arm's matrices with classes from the largest to the smallest, a row for each data set.

    The level is the last one by default: the most imbalanced.
    """
    places, at = _at_level(results, arm, level)
    title = f"Confusion by class size: {' · '.join(arm)}, {at}"
    return _drawn(results, places, "rank", name=f"confusion-rank-{'-'.join(arm)}", title=title, at=at)


def confusion_by_name(
    results: Results, arm: tuple[str, str], dataset: str, *, level: float | str | None = None
) -> Figure:
    """Draw one arm's matrices of one data set, at the last level by default."""
    places, at = _at_level(results, arm, level)
    title = f"Confusion by class: {dataset}, {' · '.join(arm)}, {at}"
    name = f"confusion-name-{'-'.join(arm)}-{dataset}"
    return _drawn(results, places[places["dataset"] == dataset], "name", name=name, title=title, at=at)


def _at_level(results: Results, arm: tuple[str, str], level: float | str | None) -> tuple[pd.DataFrame, str]:
    """Return the cells of an arm at a level, and the words for the level."""
    level = results.places[IMBALANCE].max() if level is None else level
    return of_arm(results.places[results.places[IMBALANCE] == level], arm), level_phrase(IMBALANCE, level)


def _drawn(results: Results, places: pd.DataFrame, by: By, *, name: str, title: str, at: str) -> Figure:
    datasets, resamplers = (list(dict.fromkeys(places[axis])) for axis in ("dataset", "resampler"))
    rows = [
        [
            _panel(dataset if len(datasets) > 1 else "", resampler, lines, results.records, by)
            for resampler in resamplers
            if len(lines := _of(places, dataset, resampler))
        ]
        for dataset in datasets
    ]
    n_columns = _columns(max(len(panel.names) for row in rows for panel in row), by)
    wrapped = [row[start : start + n_columns] for row in rows for start in range(0, len(row), n_columns)]
    caption = (
        f"Of the samples of each true class (row), the percentage given each class (column), at {at}, the mean over "
        f"folds. {_SAYS[by]}; columns are in the order of the rows. Numbers below 0.5 are left out. "
        f"{BASELINE} {basis(places)}"
    )
    size, draw = _layout(wrapped)
    return render(name, title=title, caption=caption, size=size, draw=draw)


def _of(places: pd.DataFrame, dataset: str, resampler: str) -> pd.DataFrame:
    return places[(places["dataset"] == dataset) & (places["resampler"] == resampler)]


def _panel(dataset: str, resampler: str, lines: pd.DataFrame, records: Mapping[str, Record], by: By) -> _Panel:
    done = [records[key] for key in lines["key"][lines["status"] == "done"]]
    title = ": ".join(filter(None, [dataset, printed("resampler", resampler)]))
    if not done:
        return _Panel(title, (), None)
    names = (
        [*map(printable, done[0].class_names)]
        if by == "name"
        else [str(rank + 1) for rank in range(len(done[0].class_names))]
    )
    return _Panel(title, names, np.mean([normalised(record, by) for record in done], axis=0))


def normalised(record: Record, by: By) -> Matrix:
    """Return the confusion matrix with rows scaled to 1 (NaN where empty), its classes in the order asked for."""
    confusion = np.array(record.confusion, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        shares: Matrix = confusion / confusion.sum(axis=1, keepdims=True)
    return shares if by == "name" else shares[np.ix_(record.class_order, record.class_order)]


def _columns(n_classes: int, by: By) -> int:
    """Return how many matrices stand side by side: by name few enough to read numbers in the matrices."""
    if by == "rank":
        return int((DOUBLE - _SCALE - 0.5) / (_SMALLEST + _GAP))
    return 3 if n_classes <= 10 else 2


def _layout(rows: Sequence[Sequence[_Panel]]) -> tuple[tuple[float, float], Any]:
    """Return the size of the figure in inches, and what draws it."""
    n_columns = max(map(len, rows))
    longest = max(len(short(name)) for row in rows for panel in row for name in panel.names or ("",))
    names = LETTER * longest + 0.08
    left = _AXIS + names
    side = min(_LARGEST, (DOUBLE - left - _SCALE + _GAP) / n_columns - _GAP)
    right = DOUBLE - left - n_columns * (side + _GAP) + _GAP
    below = _AXIS + names
    rows = [[replace(panel, title=wrapped(panel.title, side)) for panel in row] for row in rows]
    above = _TITLE + extra_height(panel.title for row in rows for panel in row)
    height = len(rows) * (side + above + _GAP) - _GAP + below

    def draw(canvas: "Canvas") -> None:
        spaces = {"wspace": _GAP / side, "hspace": (above + _GAP) / side}
        grid = panels(canvas, len(rows), n_columns, (left, right, below, above), gridspec_kw=spaces)
        colours = _colours()
        for i, row in enumerate(rows):
            for j, axes in enumerate(grid[i]):
                if j >= len(row):
                    axes.remove()
                    continue
                is_lowest = not any(j < len(later) for later in rows[i + 1 :])
                _matrix(axes, row[j], colours, side, labelled=(j == 0, is_lowest))
        colour_bar(canvas, [grid[0, n_columns - 1 if len(rows[0]) == n_columns else 0]], colours, "% of the true class")
        canvas.text(0.08 / DOUBLE, 0.5 + below / height / 2, "True class", rotation=90, va="center", ha="left")
        canvas.text((left + (DOUBLE - left - right) / 2) / DOUBLE, 0.02, "Predicted class", ha="center", va="bottom")

    return (DOUBLE, height), draw


def _colours() -> dict[str, Any]:
    """Return how percentages become colours: linearly, and from light to dark also in grey."""
    from matplotlib.colors import Normalize

    return {"norm": Normalize(0, 100), "cmap": "Blues"}


def _matrix(axes: "Axes", panel: _Panel, colours: dict[str, Any], side: float, *, labelled: tuple[bool, bool]) -> None:
    """Draw one matrix, or say that there is none; `labelled` says whether its rows and columns are named."""
    heading(axes, panel.title)
    axes.xaxis.set_visible(panel.matrix is not None and labelled[1])
    axes.yaxis.set_visible(panel.matrix is not None and labelled[0])
    if panel.matrix is None:
        axes.text(0.5, 0.5, "nothing\ndone", ha="center", va="center", alpha=0.7, transform=axes.transAxes)
        return
    percent = 100 * panel.matrix
    image: Any = axes.imshow(percent, interpolation="none", **colours)
    axes.spines[:].set_visible(True)
    every = max(1, int(np.ceil(LINE * len(percent) / side)))
    ticks = range(0, len(percent), every)
    names = [short(panel.names[tick]) for tick in ticks]
    axes.tick_params(length=0, pad=1.5)
    if labelled[0]:
        axes.set_yticks(ticks, names)
    if labelled[1]:
        axes.set_xticks(ticks, names, rotation=90)
    if every == 1 and side / len(percent) >= 2 * LETTER:  # a number of two digits finds room
        _write_numbers(axes, np.floor(percent + 0.5), image.to_rgba)


def _write_numbers(axes: "Axes", whole: Matrix, colour_of: Callable[[float], Any]) -> None:
    """Write whole percentages into their fields: equal ones are the markers of one line, faster than single texts."""
    for number in np.unique(whole[whole >= 1]):
        rows, columns = np.nonzero(whole == number)
        outline, colour = _outline(int(number)), legible_on(colour_of(number))
        size_pt = 2 * np.abs(outline.vertices).max()  # to this size matplotlib scales the outline, which has it already
        axes.plot(columns, rows, linestyle="", marker=outline, markersize=size_pt, color=colour, markeredgewidth=0)


@cache
def _outline(number: int) -> "Path":
    """Return the outline of a number around its middle, in points."""
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    outline = TextPath((0, 0), str(number), size=FONT_PT)
    box = outline.get_extents()
    return Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2).transform_path(outline)


def datasets_of(results: Results, arm: tuple[str, str]) -> list[str]:
    """Return the data sets of which an arm has a cell that is done, at the level that is drawn."""
    places, _ = _at_level(results, arm, None)
    return list(dict.fromkeys(places["dataset"][places["status"] == "done"]))
