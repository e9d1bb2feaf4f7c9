"""The questions that a report answers: which columns of which samples each sets against each other.

One analysis of each question is primary, and it follows from the design alone (the table is in
docs/protocol/statistics.md): by the first metric of the grid, over data sets where there are six or more, else within
each data set.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Literal

import numpy as np

from raygrid.axes import IMBALANCE, level_phrase
from raygrid.report.inference.design import Design, Level
from raygrid.report.inference.families import Pairs
from raygrid.report.inference.samples import Column, Sample, Values, sample_of

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


def best_samples(found: Sequence[Values], designs: Mapping[str, Design]) -> list[list[Sample]]:
    """Return the samples of every data set, of all methods."""
    return [_samples(found, designs)]


def gain_samples(found: Sequence[Values], designs: Mapping[str, Design]) -> list[list[Sample]]:
    """Return the samples of every data set, for each arm that has the resampler none."""
    return [
        [sample for sample in _samples(of_arm, designs) if against_baseline(sample)] for of_arm in _arms(found).values()
    ]


def cost_samples(found: Sequence[Values], designs: Mapping[str, Design]) -> list[list[Sample]]:
    """Return, for each arm, the samples whose columns are none at the least imbalance of the study and at the most."""
    baselines = {arm: [each.of([(*arm, BASELINE)]) for each in of_arm] for arm, of_arm in _arms(found).items()}
    levels = _levels([each for of_arm in baselines.values() for each in of_arm])
    if len(levels) < 2:
        return []
    ends = (levels[0], levels[-1])
    return [
        _samples([_at(ends, arm, each) for each in of_arm if set(ends) <= set(each.levels)], designs, levels=ends)
        for arm, of_arm in baselines.items()
    ]


def _samples(found: Iterable[Values], designs: Mapping[str, Design], *, levels: tuple[Level, ...] = ()) -> list[Sample]:
    samples = (sample_of(each, designs[each.dataset], levels=levels) for each in found)
    return [sample for sample in samples if sample]


def _arms(found: Sequence[Values]) -> dict[Column, list[Values]]:
    """Return the values of each arm that has the resampler none, from the data sets that have it."""
    arms: dict[Column, list[Values]] = {}
    for each in found:
        for arm in dict.fromkeys(column[:-1] for column in each.columns if column[-1] == BASELINE):
            arms.setdefault(arm, []).append(each.of([column for column in each.columns if column[:-1] == arm]))
    return arms


def _levels(found: Sequence[Values]) -> list[Level]:
    """Return the levels at which there is any value, in their order."""
    ordered = max((each.levels for each in found), key=len, default=())
    known = {
        level for each in found for level, of in zip(each.levels, each.values, strict=True) if not np.isnan(of).all()
    }
    return [level for level in ordered if level in known]


def _at(ends: tuple[Level, Level], arm: Column, found: Values) -> Values:
    """Return values of one column at two levels as those of two columns at one level."""
    values = np.stack([found.values[found.levels.index(level), :, 0] for level in ends], axis=-1)
    columns = tuple((*arm, level_phrase(IMBALANCE, level)) for level in ends)
    return replace(found, levels=ends[:1], columns=columns, values=values[None])
