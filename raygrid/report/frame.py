"""From declared cells and their records to the frame that tables are made of."""

from collections.abc import Iterable, Mapping, Sequence
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from raygrid.grid import Cell
from raygrid.level import Level
from raygrid.metrics import METRICS
from raygrid.record import Record
from raygrid.report.numbers import WITHOUT_SCORES


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
    representations = labels(cell.representation for cell in cells)
    classifiers = labels(cell.classifier for cell in cells)
    resamplers = labels(cell.resampler for cell in cells)
    return pd.DataFrame(
        {
            "key": cell.key,
            "dataset": cell.dataset.name,
            "ir": cell.ir,
            "fold": cell.fold,
            "representation": representations[cell.representation],
            "classifier": classifiers[cell.classifier],
            "resampler": resamplers[cell.resampler],
            "status": records[cell.key].status if cell.key in records else "missing",
        }
        for cell in cells
    )


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
        Column metric, those of `places_of`, and value, NaN unless done; the status of a cell that is done, but lacks
        the metric, is ``without scores``.
    """
    places = places_of(cells, records)
    is_done = places["status"] == "done"
    known = [_values(records[key], metrics) if done else {} for key, done in zip(places["key"], is_done, strict=True)]
    lines = places.loc[places.index.repeat(len(metrics))].reset_index(drop=True)
    lines.insert(0, "metric", [*metrics] * len(places))
    lines["value"] = [values.get(metric, nan) for values in known for metric in metrics]
    lacks = np.array([metric not in values for values in known for metric in metrics], dtype=bool)
    return lines.assign(status=lines["status"].mask((lines["status"] == "done") & lacks, WITHOUT_SCORES))


def _values(record: Record, metrics: Sequence[str]) -> dict[str, float]:
    """Return the metrics of a done cell; one that was not known when it ran is computed now."""
    confusion = np.array(record.confusion)
    return {
        name: record.metrics[name] if name in record.metrics else METRICS[name](confusion)
        for name in metrics
        if name in record.metrics or name in METRICS
    }


def labels(levels: Iterable[Level]) -> dict[Level, str]:
    """Return what each level is called: its name, and the parameters that tell it from others of that name."""
    distinct = list(dict.fromkeys(levels))
    return {level: _label(level, [other for other in distinct if other.name == level.name]) for level in distinct}


def _label(level: Level, namesakes: list[Level]) -> str:
    parameters: dict[str, Any] = level.model_dump()
    differing = [
        f"{name}={value}"
        for name, value in parameters.items()
        if len({repr(other.model_dump()[name]) for other in namesakes}) > 1
    ]
    return f"{level.name}({', '.join(differing)})" if differing else level.name
