"""Recall and precision of every class and of head, medium and tail, from the confusion matrices of records."""

from collections.abc import Iterable, Iterator, Sequence
from math import nan
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raygrid.axes import AXES, IMBALANCE, METHOD_AXES, axis_heading, csv_column, level_name
from raygrid.report.groups import GROUPS, Grouping
from raygrid.report.render import entry, printed
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet, number
from raygrid.storage.record import Record
from raygrid.wording import span

_METHOD = list(METHOD_AXES)
_PLACE = ["dataset", IMBALANCE]
_MEASURES = ("recall", "precision")
_OF_CLASSES = ("class", "rank", "group", "n_train", "n_test", *_MEASURES)
_PRECISION = "Precision is the share of what is given a class that belongs to it, 0 where nothing is."


def recall_and_precision(confusion: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both of each class, in [0, 1].

    Parameters
    ----------
    confusion : array of shape (n_classes, n_classes), int64
        Rows are true classes.

    Returns
    -------
    recall, precision : arrays of shape (n_classes,), float64
        Recall is NaN for a class without test samples, precision 0 for one that is never predicted.
    """
    right, true, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(right / true), np.asarray(right / np.maximum(predicted, 1))


def classes_of(results: Results, grouping: Grouping) -> pd.DataFrame:
    """Return one line per class of a cell that is done.

    Returns
    -------
    DataFrame
        Columns dataset, imbalance, fold, representation, classifier, resampler, class (its name), rank (1 is the
        largest in training), group, n_train and n_test (samples), recall and precision.
    """
    places = results.places[results.places["status"] == "done"]
    of_each = [_of_record(results.records[key], grouping) for key in places["key"]]
    columns = {name: [value for line in of_each for value in line[name]] for name in _OF_CLASSES}
    sizes = [len(line["class"]) for line in of_each]
    repeated = places[list(AXES)].loc[places.index.repeat(sizes)].reset_index(drop=True)
    return repeated.assign(**columns)


def _of_record(record: Record, grouping: Grouping) -> dict[str, Sequence[Any]]:
    recall, precision = recall_and_precision(np.array(record.confusion))
    sizes = record.class_counts["train"]
    ranks = np.empty(len(sizes), dtype=np.int64)
    ranks[record.class_order] = np.arange(1, len(sizes) + 1)
    tested = record.class_counts["test"]
    groups = grouping.of(sizes, record.class_order)
    values = (record.class_names, ranks.tolist(), groups, sizes, tested, recall.tolist(), precision.tolist())
    return dict(zip(_OF_CLASSES, values, strict=True))


def class_sheets(classes: pd.DataFrame) -> Iterator[Sheet]:
    """Yield recall and precision by class: a row a data set, level and class, a column a method."""
    if classes.empty:
        return
    methods = list(classes[_METHOD].drop_duplicates().itertuples(index=False, name=None))
    for measure in _MEASURES:
        yield Sheet(
            title=f"{measure.capitalize()} of each class",
            head=("Dataset", axis_heading(IMBALANCE, classes[IMBALANCE]), "Class", "Train", *map(_name, methods)),
            rows=tuple(_class_rows(classes, measure, methods)),
            notes=(
                "Means over folds. Train: how many training samples the class has before resampling; where folds "
                "order the classes anew, from the fewest to the most.",
                *([_PRECISION] if measure == "precision" else []),
            ),
            text_columns=frozenset({0, 1, 2, 3}),
            section="classes",
        )


def _class_rows(classes: pd.DataFrame, measure: str, methods: Sequence[Any]) -> Iterator[tuple[str, ...]]:
    place: Any
    by = [*_PLACE, "class"]
    means = classes.groupby([*by, *_METHOD], sort=False, observed=True)[measure].mean().to_dict()
    sizes: Any = classes.groupby(by, sort=False, observed=True)["n_train"].agg(["min", "max"])
    ends = dict(zip(sizes.index, sizes.to_numpy().tolist(), strict=True))
    for place in _in_order(classes, ends):
        values = [number(means.get((*place, *method), nan), ".3f") for method in methods]
        yield place[0], level_name(place[1]), place[2], span(ends[place]), *values


def group_sheet(classes: pd.DataFrame, grouping: Grouping) -> Sheet | None:
    """Return recall and precision of head, medium and tail, a row a data set, level and method; None without groups."""
    grouped = classes.dropna(subset="group")
    if grouped.empty:
        return None
    return Sheet(
        title="Recall and precision of head, medium and tail",
        head=(
            *("Dataset", axis_heading(IMBALANCE, classes[IMBALANCE]), "Method"),
            *(f"{measure.capitalize()}, {group}" for measure in _MEASURES for group in GROUPS),
            "Folds",
        ),
        rows=tuple(_group_rows(grouped)),
        notes=(f"{grouping}. Means over the classes of a group, then over folds. {_PRECISION}",),
        text_columns=frozenset({0, 1, 2}),
        section="classes",
    )


def _group_rows(grouped: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    place: Any
    by = [*_PLACE, *_METHOD]
    # Every class of a group counts once in its fold, then every fold once.
    folds = grouped.groupby([*by, "group", "fold"], sort=False, observed=True)[list(_MEASURES)].mean()
    means = {measure: folds.groupby([*by, "group"], observed=True)[measure].mean().to_dict() for measure in _MEASURES}
    counts = grouped.groupby(by, sort=False, observed=True)["fold"].nunique().to_dict()
    for place in _in_order(grouped, counts):
        values = [number(means[measure].get((*place, group), nan), ".3f") for measure in _MEASURES for group in GROUPS]
        yield place[0], level_name(place[1]), _name(place[2:]), *values, str(counts[place])


def _name(method: Sequence[Any]) -> str:
    return " · ".join([*method[:-1], printed("resampler", method[-1])])


def _in_order(classes: pd.DataFrame, places: Iterable[Any]) -> list[Any]:
    """Return tuples that begin with a data set and a level in the order of tables."""
    datasets, levels = (
        {level: i for i, level in enumerate(those)}
        for those in (dict.fromkeys(classes["dataset"]), classes[IMBALANCE].cat.categories)
    )
    return sorted(places, key=lambda place: (datasets[place[0]], levels[place[1]]))


def classes_to_csv(classes: pd.DataFrame) -> str:
    """Return one line a class of a cell, unrounded."""
    lines = classes[[*AXES, *_OF_CLASSES]].assign(**{IMBALANCE: classes[IMBALANCE].cat.rename_categories(level_name)})
    texts = {name: _entries(lines[name]) for name in (*set(AXES) - {"fold"}, "class")}
    lines = lines.assign(**texts).rename(columns={axis: csv_column(axis) for axis in AXES})
    return lines.to_csv(index=False, lineterminator="\n")


def _entries(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column of texts as `entry` writes each; of the few that differ once."""
    return column.map({text: entry(text) for text in column.unique()})
