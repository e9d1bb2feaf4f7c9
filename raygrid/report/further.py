"""Further metrics that a grid file names: computed from stored predictions, so that no cell runs again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from math import isinf
from numbers import Real
from reprlib import repr as in_short
from typing import Any

import numpy as np

from raygrid.cells import Cell
from raygrid.errors import UsageError
from raygrid.metrics.confusion import METRICS
from raygrid.metrics.further import Metric, function_of, heading, takes_scores
from raygrid.storage.record import Record
from raygrid.usercode.references import reason

Predictions = Mapping[str, np.ndarray[Any, Any]]

_AT_ONCE = 16  # cells whose predictions are read side by side, and are in memory: a store at a URL answers many at once


def with_further(
    cells: Sequence[Cell],
    records: Mapping[str, Record],
    metrics: Sequence[str],
    predictions: Callable[[str], Predictions],
) -> Mapping[str, Record]:
    """Return the records, those of cells that are done with all of these metrics.

    Parameters
    ----------
    cells : sequence of Cell
    records : mapping
        By the cell's key.
    metrics : sequence of str
        As the grid file names them.
    predictions : callable
        Returns what a cell's trial kept, by key and then by name. Read only where a metric takes scores: the labels
        are those that the confusion matrix counts.

    Returns
    -------
    mapping
        By key; their metrics by heading. One that takes scores is lacking where none are kept.

    Raises
    ------
    UsageError
        A metric fails, or gives no number.
    """
    functions = {name: function_of(name) for name in metrics if name not in METRICS}
    if not functions:
        return records
    done = [cell for cell in cells if cell.key in records and records[cell.key].status == "done"]
    wants_scores = any(map(takes_scores, functions.values()))
    kept = in_turn(predictions, [cell.key for cell in done]) if wants_scores else repeat({}, len(done))
    further = {
        cell.key: _further(cell, records[cell.key], functions, arrays) for cell, arrays in zip(done, kept, strict=True)
    }
    return {**records, **further}


def in_turn(predictions: Callable[[str], Predictions], keys: Sequence[str]) -> Iterator[Predictions]:
    """Yield the predictions of every cell, of which some are read at once."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for start in range(0, len(keys), _AT_ONCE):
            yield from pool.map(predictions, keys[start : start + _AT_ONCE])


def has_scores(kept: Predictions, n_classes: int) -> bool:
    """Whether a trial kept scores with a column for each class; a store of an earlier version may have others."""
    return "scores" in kept and np.shape(kept["scores"]) == (len(kept["y_true"]), n_classes)


def _further(cell: Cell, record: Record, functions: Mapping[str, Metric], kept: Predictions) -> Record:
    """Return the record of a cell that is done with these metrics as well."""
    n_classes = len(record.confusion)
    y_true, y_pred = np.divmod(np.repeat(np.arange(n_classes**2), np.ravel(record.confusion)), n_classes)
    for array in (y_true, y_pred, *kept.values()):
        array.setflags(write=False)  # one metric must not change what the next one sees
    metrics = dict(record.metrics)
    for name, metric in functions.items():
        try:
            if not takes_scores(metric):
                metrics[heading(name)] = _number(metric(y_true, y_pred))
            elif has_scores(kept, n_classes):
                metrics[heading(name)] = _number(metric(kept["y_true"], kept["y_pred"], scores=kept["scores"]))
        except Exception as error:  # a metric of the user's may raise anything
            raise UsageError(f"metrics: {name}: cell {cell.key} ({cell}): {reason(error)}; mend the metric") from error
    return record.model_copy(update={"metrics": metrics})


def _number(value: object) -> float:
    """Return what a metric gave, if it is a number, or NaN."""
    if not isinstance(value, Real) or isinf(value):
        raise TypeError(f"got {in_short(value)}; expected a number")
    return float(value)
