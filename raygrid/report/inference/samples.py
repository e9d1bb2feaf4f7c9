"""Samples: the values of methods in the folds of a data set, or in data sets, as tests take them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raygrid.axes import IMBALANCE, METHOD_AXES, axis_name, level_name
from raygrid.report.inference.design import Design, Level
from raygrid.wording import plural

Floats = NDArray[np.float64]
Column = tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """Columns that have a value in every unit.

    Attributes
    ----------
    dataset : str
        Whose folds the units are; empty where the units are data sets.
    columns : tuple of tuple of str
        Methods: a representation, a classifier and a resampler.
    values : array of shape (n_units, n_columns), float64
    correlation : float
        Of two units, because they share images.
    notes : tuple of str
        What was left out, so that every column has a value in every unit.
    """

    dataset: str
    columns: tuple[Column, ...]
    values: Floats
    correlation: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def n_units(self) -> int:
        """Folds, or data sets."""
        return len(self.values)


def samples_of(cells: pd.DataFrame, designs: Mapping[str, Design]) -> Iterator[Sample]:
    """Yield the sample of every data set: of each fold, the mean over levels of imbalance.

    Parameters
    ----------
    cells : DataFrame
        One line per cell of one metric, as `raygrid.report.frame.frame_of` has them, NaN where a cell is not done.
    designs : mapping
        By data set.

    Notes
    -----
    Every fold of a sample averages the same levels, and every column has them all: of the levels and folds that are
    not complete, those are left out that leave the most cells.
    """
    for dataset, of_dataset in cells.groupby("dataset", sort=False):
        wide = of_dataset.pivot(index=[IMBALANCE, "fold"], columns=list(METHOD_AXES), values="value")
        wide = wide[list(dict.fromkeys(of_dataset[list(METHOD_AXES)].itertuples(index=False, name=None)))]
        known = wide.notna()
        wide = wide.loc[:, known.any()]
        levels, folds = _complete(wide.notna().all(axis=1).unstack("fold", fill_value=False))
        if levels and folds:
            of_folds = wide.loc[(levels, folds), :].groupby("fold").mean()
            yield Sample(
                str(dataset),
                tuple(wide.columns),
                of_folds.to_numpy(dtype=np.float64),
                designs[str(dataset)].correlation(levels, folds),
                tuple(_left_out(str(dataset), known, levels, folds)),
            )


def _complete(complete: pd.DataFrame) -> tuple[list[Level], list[int]]:
    """Return levels and folds all of whose cells are done, such that they are as many cells as possible.

    Parameters
    ----------
    complete : DataFrame of bool
        By level and fold, whether all columns are done.
    """
    by_count = complete.loc[complete.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    folds_of = by_count.cummin()  # of the levels so far, the folds that have all of them
    n_cells = folds_of.sum(axis=1) * np.arange(1, len(folds_of) + 1)
    n_levels = int(n_cells.to_numpy().argmax()) + 1 if len(n_cells) else 0
    kept = set(by_count.index[:n_levels])
    folds = folds_of.iloc[n_levels - 1] if n_levels else pd.Series(dtype=bool)
    return [level for level in complete.index if level in kept], [int(fold) for fold in folds.index[folds]]


def _left_out(dataset: str, known: pd.DataFrame, levels: Sequence[Level], folds: Sequence[int]) -> Iterator[str]:
    """Say what of a data set takes no part."""
    for column in known.columns[~known.any()]:
        yield f"{dataset}: {' '.join(column)} has no result and takes no part"
    all_levels, all_folds = (list(dict.fromkeys(known.index.get_level_values(i))) for i in (0, 1))
    if without := [level_name(level) for level in all_levels if level not in levels]:
        yield f"{dataset}: {axis_name(IMBALANCE, all_levels)} {', '.join(without)} left out, because cells lack a result"
    if len(folds) < len(all_folds):
        yield f"{dataset}: {len(folds)} of {plural(len(all_folds), 'fold')}; in the others cells lack a result"


def over_datasets(samples: Sequence[Sample], columns: Sequence[Column]) -> Sample:
    """Return the sample whose units are the data sets that have all of these columns."""
    having = [sample for sample in samples if set(columns) <= set(sample.columns)]
    means = [sample.values.mean(axis=0)[[sample.columns.index(column) for column in columns]] for sample in having]
    lacking = [sample.dataset for sample in samples if sample not in having]
    notes = [note for sample in having for note in sample.notes]
    notes += [f"{dataset} takes no part, because not all methods have a result in it" for dataset in lacking]
    return Sample("", tuple(columns), np.reshape(means, (len(having), len(columns))), notes=tuple(notes))
