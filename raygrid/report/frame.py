"""From declared cells and their records to the frame that tables are made of."""

from collections.abc import Mapping, Sequence
from math import isnan, nan

import numpy as np
import pandas as pd

from raygrid.axes import AXES, IMBALANCE, METHOD_AXES
from raygrid.cells import Cell
from raygrid.level import labels
from raygrid.metrics.confusion import METRICS
from raygrid.report.numbers import UNDEFINED, WITHOUT_SCORES
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
        Columns key, dataset, ir, fold, representation, classifier, resampler, status.
    """
    names = {axis: labels(getattr(cell, axis) for cell in cells) for axis in METHOD_AXES}
    lines = [
        {
            "key": cell.key,
            "dataset": cell.dataset.name,
            IMBALANCE: cell.ir,
            "fold": cell.fold,
            **{axis: names[axis][getattr(cell, axis)] for axis in METHOD_AXES},
            "status": records[cell.key].status if cell.key in records else "missing",
        }
        for cell in cells
    ]
    return pd.DataFrame(lines, columns=["key", *AXES, "status"])


def frame_of(cells: Sequence[Cell], records: Mapping[str, Record], metrics: Sequence[str]) -> pd.DataFrame:
    """Return one line per cell and metric.

    Parameters
    ----------
    cells, records
        As of `places_of`.
    metrics : sequence of str

    Returns
    -------
    DataFrame
        Column metric, those of `places_of`, and value, NaN unless done. The status of a cell that is done, but not by
        this metric, is ``without scores`` or ``undefined``.
    """
    places = places_of(cells, records)
    lines = places.loc[places.index.repeat(len(metrics))].reset_index(drop=True)
    lines.insert(0, "metric", [*metrics] * len(places))
    outcomes = [_outcome(records.get(key), metric) for key in places["key"] for metric in metrics]
    lines[["status", "value"]] = pd.DataFrame(outcomes, columns=["status", "value"])
    return lines


def _outcome(record: Record | None, metric: str) -> tuple[str, float]:
    """Return what a cell is by one metric, and its value; what was not known when it ran is computed now."""
    if record is None or record.status != "done":
        return record.status if record else "missing", nan
    if metric not in record.metrics and metric not in METRICS:
        return WITHOUT_SCORES, nan
    known = record.metrics
    value = known[metric] if metric in known else METRICS[metric](np.array(record.confusion))
    return UNDEFINED if isnan(value) else "done", value
