"""Recall of each class, from the largest to the smallest, before and after each resampler."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raygrid.axes import IMBALANCE, level_phrase
from raygrid.report.figures.figure import BASELINE, Figure, basis, short
from raygrid.report.figures.lines import End, line_panels
from raygrid.report.figures.style import Style
from raygrid.report.render import printed
from raygrid.report.results import Results
from raygrid.storage.record import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NAMES = 20  # side by side below a panel
_NUMBERED = "Where folds order classes anew, class 1 is the largest of its fold, whichever that is. "


def recall_by_frequency(results: Results, level: float | str | None = None) -> Figure:
    """Draw the mean over folds of the recall of each class, at one IR, by default the highest."""
    level = results.places[IMBALANCE].max() if level is None else level
    places = results.places[results.places[IMBALANCE] == level]
    at = level_phrase(IMBALANCE, level)
    names = _names(places, results.records)
    longest = max((len(short(name)) for of_dataset in names.values() for name in of_dataset), default=0)
    caption = (
        f"Recall of each class at {at}, the mean over folds, from the largest class to the smallest. "
        f"{'' if len(names) == places['dataset'].nunique() else _NUMBERED}{BASELINE} {basis(places)}"
    )
    return line_panels(
        _by_rank(places, results.records),
        partial(_draw, names=names),
        tick_letters=longest,
        name="recall",
        title=f"Recall by class frequency at {at}",
        caption=caption,
        x_label="Class, from the largest to the smallest",
        y_label="Recall",
    )


def _names(places: pd.DataFrame, records: Mapping[str, Record]) -> dict[str, tuple[str, ...]]:
    """Return the classes of each data set from the largest to the smallest, if every fold has the same order."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for dataset, key in places.loc[places["status"] == "done", ["dataset", "key"]].itertuples(index=False, name=None):
        record = records[key]
        found.setdefault(dataset, set()).add(tuple(record.class_names[i] for i in record.class_order))
    return {dataset: next(iter(orders)) for dataset, orders in found.items() if len(orders) == 1}


def recalls(record: Record) -> NDArray[np.float64]:
    """Return the recall of each class from the largest to the smallest; NaN for one without test samples."""
    confusion = np.array(record.confusion, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        recall = np.diag(confusion) / confusion.sum(axis=1)
    return np.asarray(recall[record.class_order])


def _by_rank(places: pd.DataFrame, records: Mapping[str, Record]) -> pd.DataFrame:
    """Return one line per cell with its recalls in the column `value`, an array; None where there are none."""
    done = places["status"] == "done"
    values = [recalls(records[key]) if is_done else None for key, is_done in zip(places["key"], done, strict=True)]
    return places.assign(value=pd.Series(values, index=places.index, dtype=object))


def _draw(
    axes: "Axes", part: pd.DataFrame, looks: dict[str, Style], names: Mapping[str, Sequence[str]]
) -> Sequence[End]:
    """Draw one panel; return where its lines end."""
    ends = []
    for resampler, lines in part.dropna(subset="value").groupby("resampler", sort=False):
        means = np.nanmean(np.stack(lines["value"].tolist()), axis=0)
        look, ranks = looks[str(resampler)], np.arange(1, len(means) + 1)
        every = max(1, len(means) // 12)
        axes.plot(ranks, means, color=look.colour, linestyle=look.dash, marker=look.marker, markevery=every)
        ends.append(End(printed("resampler", str(resampler)), len(means), means[-1], look))
    axes.locator_params(axis="x", integer=True, nbins=11)
    for named in filter(None, map(names.get, part["dataset"].unique())):
        shown = range(0, len(named), -(-len(named) // _MOST_NAMES))
        axes.set_xticks([at + 1 for at in shown], [short(named[at]) for at in shown], rotation=90)
    return ends
