"""The questions that a report answers: which columns of which samples each sets against each other.

One analysis of each question is primary, and it follows from the design alone (docs/statistics.md has the table): by
the first metric of the grid, over data sets where there are six or more, else within each data set.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd

from raygrid.axes import ARM_AXES, IMBALANCE, level_phrase
from raygrid.report.inference.design import Design
from raygrid.report.inference.families import Pairs
from raygrid.report.inference.samples import Column, Sample, samples_of

Question = Literal["Which method is best?", "What does resampling gain?", "What does imbalance cost?"]
BEST: Question = "Which method is best?"
GAIN: Question = "What does resampling gain?"
COST: Question = "What does imbalance cost?"
BASELINE = "none"


def all_pairs(sample: Sample) -> Pairs:
    """Return every two columns: the pairs of `BEST`."""
    return tuple(combinations(sample.columns, 2))


def against_baseline(sample: Sample) -> Pairs:
    """Return every resampler against none of its arm: the pairs of `GAIN`."""
    return tuple(
        (column, baseline)
        for column in sample.columns
        if column[-1] != BASELINE and (baseline := (*column[:-1], BASELINE)) in sample.columns
    )


def best_samples(cells: pd.DataFrame, designs: Mapping[str, Design]) -> list[list[Sample]]:
    """Return the samples of every data set, of all methods."""
    return [list(samples_of(cells, designs))]


def gain_samples(cells: pd.DataFrame, designs: Mapping[str, Design]) -> list[list[Sample]]:
    """Return the samples of every data set, for each arm that has the resampler none."""
    arms = [list(samples_of(of_arm, designs)) for _, of_arm in cells.groupby(list(ARM_AXES), sort=False)]
    return [arm for arm in arms if any(map(against_baseline, arm))]


def cost_samples(cells: pd.DataFrame, designs: Mapping[str, Design]) -> list[list[Sample]]:
    """Return, for each arm, the samples whose columns are none at the least imbalance of the study and at the most."""
    baseline = cells[(cells["resampler"] == BASELINE) & cells["value"].notna()]
    if baseline.empty:
        return []
    ends = [baseline[IMBALANCE].min(), baseline[IMBALANCE].max()]
    if ends[0] == ends[1]:
        return []
    arms = [
        list(_at_ends(of_arm, ends, (str(arm[0]), str(arm[1])), designs))
        for arm, of_arm in baseline.groupby(list(ARM_AXES), sort=False)
    ]
    return [arm for arm in arms if arm]


def _at_ends(
    cells: pd.DataFrame, ends: list[str | float], arm: Column, designs: Mapping[str, Design]
) -> Iterator[Sample]:
    """Yield the sample of each data set that has both levels."""
    columns = tuple((*arm, level_phrase(IMBALANCE, level)) for level in ends)
    for dataset, of_dataset in cells.groupby("dataset", sort=False):
        wide = of_dataset.pivot(index="fold", columns=IMBALANCE, values="value").reindex(columns=ends).dropna()
        if len(wide):
            folds, design = [int(fold) for fold in wide.index], designs[str(dataset)]
            values = wide.to_numpy(dtype=np.float64)
            yield Sample(str(dataset), columns, values, design.correlation(ends, folds), design.degrees(folds))
