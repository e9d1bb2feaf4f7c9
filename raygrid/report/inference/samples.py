"""Samples: the values of methods in the folds of a data set, or in data sets, as tests take them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raygrid.axes import IMBALANCE, METHOD_AXES, axis_name, level_name
from raygrid.report.inference.design import Design, Level
from raygrid.wording import plural

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Column = tuple[str, ...]


@dataclass(frozen=True)
class Values:
    """All values of a data set by one metric.

    Attributes
    ----------
    dataset : str
    levels : tuple
        Of imbalance, in their order.
    folds : tuple of int
    columns : tuple of tuple of str
        Methods: a representation, a classifier and a resampler.
    values : array of shape (n_levels, n_folds, n_columns), float64
        NaN where a cell is not done.
    """

    dataset: str
    levels: tuple[Level, ...]
    folds: tuple[int, ...]
    columns: tuple[Column, ...]
    values: Floats

    def of(self, columns: Sequence[Column]) -> "Values":
        """Return the values of some columns."""
        at = [self.columns.index(column) for column in columns]
        return replace(self, columns=tuple(columns), values=self.values[:, :, at])


def values_of(cells: pd.DataFrame) -> Iterator[Values]:
    """Yield the values of every data set.

    Parameters
    ----------
    cells : DataFrame
        One line per cell of one metric, as `raygrid.report.frame.frame_of` has them, NaN where a cell is not done.
    """
    methods = list(METHOD_AXES)
    for dataset, of_dataset in cells.groupby("dataset", sort=False):
        levels = of_dataset[IMBALANCE].drop_duplicates().sort_values().tolist()
        folds, fold_at = np.unique(of_dataset["fold"], return_inverse=True)
        columns = of_dataset[methods].drop_duplicates().to_numpy().tolist()
        level_at = pd.Index(levels).get_indexer(pd.Index(of_dataset[IMBALANCE].tolist()))
        values = np.full((len(levels), len(folds), len(columns)), np.nan)
        values[level_at, fold_at, of_dataset.groupby(methods, sort=False).ngroup()] = of_dataset["value"]
        yield Values(str(dataset), tuple(levels), tuple(folds.tolist()), tuple(map(tuple, columns)), values)


@dataclass(frozen=True)
class Sample:
    """Columns that have a value in every unit.

    Attributes
    ----------
    dataset : str
        Whose folds the units are; empty where the units are data sets.
    columns : tuple of tuple of str
    values : array of shape (n_units, n_columns), float64
    correlation : float
        Of two units, because they share images.
    degrees : int
        Of freedom of a deviation over units.
    notes : tuple of str
        What was left out, so that every column has a value in every unit.
    """

    dataset: str
    columns: tuple[Column, ...]
    values: Floats
    correlation: float
    degrees: int
    notes: tuple[str, ...] = ()

    @property
    def n_units(self) -> int:
        """Folds, or data sets."""
        return len(self.values)


def sample_of(found: Values, design: Design, *, levels: Sequence[Level] = ()) -> Sample | None:
    """Return the sample of a data set: of each fold, the mean over levels of imbalance; None where there is none.

    Every fold averages the same levels, and every column has them all: of the levels and folds that are not complete,
    those are left out that leave the most cells. `levels` are those of the images, where the columns are levels.
    """
    known = ~np.isnan(found.values)
    taking_part = np.array(known.any(axis=(0, 1)))
    level_at, fold_at = _complete(np.array(known[:, :, taking_part].all(axis=2))) if taking_part.any() else ([], [])
    if not level_at or not fold_at:
        return None
    kept, folds = [found.levels[i] for i in level_at], [found.folds[i] for i in fold_at]
    return Sample(
        found.dataset,
        tuple(column for column, takes_part in zip(found.columns, taking_part, strict=True) if takes_part),
        found.values[level_at][:, fold_at][:, :, taking_part].mean(axis=0),
        design.correlation(levels or kept, folds),
        design.degrees(folds),
        tuple(_left_out(found, taking_part, kept, len(folds))),
    )


def _complete(complete: Bools) -> tuple[list[int], list[int]]:
    """Return the positions of levels and folds that are complete and as many cells as possible.

    Parameters
    ----------
    complete : array of shape (n_levels, n_folds), bool
        Whether all columns are done.
    """
    order = np.argsort(-complete.sum(axis=1), kind="stable")
    so_far = np.logical_and.accumulate(complete[order], axis=0)  # the folds that have all levels up to this one
    last = int((so_far.sum(axis=1) * np.arange(1, len(order) + 1)).argmax())
    return sorted(order[: last + 1].tolist()), np.flatnonzero(so_far[last]).tolist()


def _left_out(found: Values, taking_part: Bools, levels: Sequence[Level], n_folds: int) -> Iterator[str]:
    """Say what of a data set takes no part."""
    for column in np.flatnonzero(~taking_part):
        yield f"{found.dataset}: {' '.join(found.columns[column])} has no result and takes no part"
    if without := [level_name(level) for level in found.levels if level not in levels]:
        axis = axis_name(IMBALANCE, found.levels)
        yield f"{found.dataset}: without {axis} {', '.join(without)}, where results are missing"
    if n_folds < len(found.folds):
        yield f"{found.dataset}: {n_folds} of {plural(len(found.folds), 'fold')}; of the others results are missing"


def columns_of(samples: Sequence[Sample]) -> tuple[Column, ...]:
    """Return the columns that any of the samples has, in order of appearance."""
    return tuple(dict.fromkeys(column for sample in samples for column in sample.columns))


def over_datasets(samples: Sequence[Sample], columns: Sequence[Column]) -> Sample:
    """Return the sample whose units are the data sets that have all of these columns."""
    having = [sample for sample in samples if set(columns) <= set(sample.columns)]
    means = [sample.values.mean(axis=0)[[sample.columns.index(column) for column in columns]] for sample in having]
    lacking = [sample.dataset for sample in samples if not set(columns) <= set(sample.columns)]
    notes = [note for sample in having for note in sample.notes]
    notes += [f"{dataset} takes no part, because not all methods have a result in it" for dataset in lacking]
    values = np.reshape(means, (len(having), len(columns)))
    return Sample("", tuple(columns), values, 0.0, len(having) - 1, tuple(notes))
