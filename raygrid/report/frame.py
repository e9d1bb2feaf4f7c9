"""Make the data frame behind all tables, from declared cells and their records."""

from collections.abc import Mapping, Sequence
from math import isnan, nan

import numpy as np
import pandas as pd

from raygrid.axes import AXES, IMBALANCE, METHOD_AXES
from raygrid.cells import Cell, labels_on, names_on
from raygrid.metrics.confusion import METRICS
from raygrid.report.left_out import UNDEFINED, WITHOUT_SCORES
from raygrid.storage.record import Record


def places_of(cells: Sequence[Cell], records: Mapping[str, Record]) -> pd.DataFrame:
    """Return one line per cell.

    Parameters
    ----------
    cells : sequence of Cell
        As declared, in the order of the grid file.
    records : mapping
        By the cell's key; a cell without one gets the status ``missing``.

    Returns
    -------
    DataFrame
        Columns key, dataset, imbalance, fold, representation, classifier, resampler, status, ratio. Of the levels of
        imbalance, which are in the order of their ratios, those that are an IR alone are numbers. The ratio is that
        of the level, or where it has none that of the training samples, NaN where that is not known.
    """
    levels = {axis: names_on(axis, cells, labels_on(axis, cells)) for axis in (IMBALANCE, *METHOD_AXES)}
    levels["dataset"] = [cell.dataset.name for cell in cells]
    columns = levels | {
        "key": [cell.key for cell in cells],
        IMBALANCE: list(map(_number_or_name, levels[IMBALANCE])),
        "fold": [cell.fold for cell in cells],
        "status": [records[cell.key].status if cell.key in records else "missing" for cell in cells],
        "ratio": [_ratio(cell, records.get(cell.key)) for cell in cells],
    }
    places = pd.DataFrame(columns, columns=["key", *AXES, "status", "ratio"])
    ratios = places.groupby(IMBALANCE, sort=False)["ratio"].mean().sort_values(kind="stable")
    return places.assign(**{IMBALANCE: pd.Categorical(places[IMBALANCE], list(ratios.index), ordered=True)})


def _number_or_name(level: str) -> float | str:
    try:
        return float(level)
    except ValueError:
        return level


def _ratio(cell: Cell, record: Record | None) -> float:
    known = cell.imbalance.ratio or (record.ir if record else None)
    return nan if known is None else known


def frame_of(places: pd.DataFrame, records: Mapping[str, Record], metrics: Sequence[str]) -> pd.DataFrame:
    """Return one line per cell and metric.

    Parameters
    ----------
    places : DataFrame
        Of `places_of`.
    records : mapping
        By the cell's key.
    metrics : sequence of str

    Returns
    -------
    DataFrame
        Column metric, those of `places_of`, value, NaN unless done, and lost: whether the resampler left a class
        without samples. The status of a cell that is done, but not by this metric, is ``without scores`` or
        ``undefined``.
    """
    lines = places.loc[places.index.repeat(len(metrics))].reset_index(drop=True)
    lines.insert(0, "metric", [*metrics] * len(places))
    outcomes = [_outcome(records.get(key), metric) for key in places["key"] for metric in metrics]
    lines[["status", "value"]] = pd.DataFrame(outcomes, columns=["status", "value"])
    lost = {key for key, record in records.items() if 0 in record.class_counts.get("resampled", ())}
    return lines.assign(lost=lines["key"].isin(lost))


def _outcome(record: Record | None, metric: str) -> tuple[str, float]:
    """Return what a cell is by one metric, and its value; what was not known when it ran is computed now."""
    if record is None or record.status != "done":
        return record.status if record else "missing", nan
    if metric not in record.metrics and metric not in METRICS:
        return WITHOUT_SCORES, nan
    known = record.metrics
    value = known[metric] if metric in known else METRICS[metric](np.array(record.confusion))
    return UNDEFINED if isnan(value) else "done", value
