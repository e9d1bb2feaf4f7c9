"""From declared cells and their records to the frame that tables are made of."""

from collections.abc import Iterable, Mapping, Sequence
from math import nan

import numpy as np
import pandas as pd

from raygrid.grid import Cell
from raygrid.level import Level
from raygrid.metrics import METRICS
from raygrid.record import Record


def frame_of(cells: Sequence[Cell], records: Mapping[str, Record], metrics: Sequence[str]) -> pd.DataFrame:
    """Return one line per cell and metric.

    Parameters
    ----------
    cells : sequence of Cell
        As declared, in the order of the grid file.
    records : mapping
        By the cell's key; a cell without one gets the status ``missing``.
    metrics : sequence of str

    Returns
    -------
    DataFrame
        Columns metric, key, dataset, ir, fold, representation, classifier, resampler, status, value (NaN unless done).
    """
    representations = labels(cell.representation for cell in cells)
    classifiers = labels(cell.classifier for cell in cells)
    resamplers = labels(cell.resampler for cell in cells)
    lines = []
    for cell in cells:
        record = records.get(cell.key)
        line = {
            "key": cell.key,
            "dataset": cell.dataset.name,
            "ir": cell.ir,
            "fold": cell.fold,
            "representation": representations[cell.representation],
            "classifier": classifiers[cell.classifier],
            "resampler": resamplers[cell.resampler],
            "status": record.status if record else "missing",
        }
        values = _values(record, metrics) if record and record.status == "done" else {}
        lines += [{"metric": metric, **line, "value": values.get(metric, nan)} for metric in metrics]
    return pd.DataFrame(lines)


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
    differing = [
        f"{name}={value}"
        for name, value in level.as_dict().items()
        if len({repr(other.as_dict().get(name)) for other in namesakes}) > 1
    ]
    return f"{level.name}({', '.join(differing)})" if differing else level.name
