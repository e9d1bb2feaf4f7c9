"""Test which differences between resamplers are significant, over paired blocks.

A block is a (dataset, IR, fold): every column saw the same images in it.

References
----------
Demšar (2006), Statistical comparisons of classifiers over multiple data sets, JMLR 7.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import nan

import numpy as np
import pandas as pd

from raygrid.axes import ARM_AXES, BLOCK_AXES, METHOD_AXES
from raygrid.report.bayesian import Floats, Posterior, draw_weights, signed_rank
from raygrid.report.rank_tests import Friedman, friedman, nemenyi_p_values, wilcoxon_holm_p_values
from raygrid.wording import plural

SEED = 0  # of the Monte Carlo draws: a report made twice is the same report
FEWEST_BLOCKS = 5  # below, Wilcoxon's p is 0.125 or more whatever the data
FEW_BLOCKS = 10
UNKNOWN = Posterior(nan, nan, nan)

Column = tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """Two columns set against each other; p values of Wilcoxon are corrected by Holm for all pairs."""

    left: Column
    right: Column
    difference: float
    """Mean of left minus right."""
    nemenyi_p: float = nan
    wilcoxon_p: float = nan
    posterior: Posterior = UNKNOWN


@dataclass(frozen=True)
class Comparison:
    """The columns of one arm, or of all arms where `arm` is empty, compared by one metric."""

    metric: str
    arm: Column
    columns: tuple[Column, ...]
    ranks: tuple[float, ...]
    """Average rank of each column; the best possible is 1."""
    n_blocks: int
    n_left_out: int
    friedman: Friedman
    pairs: tuple[Pair, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Statistics:
    """Every comparison, the settings they share, and what to keep in mind about all of them."""

    comparisons: tuple[Comparison, ...]
    alpha: float
    rope: float
    caveat: str


def statistics(frame: pd.DataFrame, *, rope: float = 0.01, alpha: float = 0.05) -> Statistics:
    """Compare the resamplers of each arm, and all columns where there are several arms, by every metric.

    Parameters
    ----------
    frame : DataFrame
        One line per cell and metric, from `raygrid.report.frame.frame_of`.
    rope : float
        The region of practical equivalence: metrics that differ by no more are as good as each other.
    alpha : float
        Significance level of the critical difference.

    Returns
    -------
    Statistics
        Only blocks in which all columns of a comparison are done count; a column that never is takes no part.
    """
    done = frame.assign(value=frame["value"].where(frame["status"] == "done"))
    comparisons = [
        _comparison(str(metric), arm, columns, blocks, rope, alpha)
        for metric, cells in done.groupby("metric", sort=False)
        for arm, columns, blocks in _by_arm(cells)
    ]
    caveat = (
        f"Blocks are (dataset, IR, fold). Those of one data set share its images and are not independent, so p values "
        f"come out too small, and they speak of {plural(frame['dataset'].nunique(), 'data set')} only: "
        "a claim about data sets in general needs tests over data sets (Demšar, 2006)."
    )
    return Statistics(tuple(comparisons), alpha, rope, caveat)


def _by_arm(cells: pd.DataFrame) -> Iterator[tuple[Column, list[Column], Floats]]:
    """Yield each arm, then all of them together: its columns in the order of the grid, and its matrix."""
    arms: list[Column] = [tuple(arm) for arm in cells[list(ARM_AXES)].drop_duplicates().to_numpy().tolist()]
    for arm in arms:
        of_arm = (cells["representation"] == arm[0]) & (cells["classifier"] == arm[1])
        yield arm, *_matrix(cells[of_arm], ["resampler"])
    if len(arms) > 1:
        yield (), *_matrix(cells, list(METHOD_AXES))


def _matrix(cells: pd.DataFrame, axes: list[str]) -> tuple[list[Column], Floats]:
    """Return the columns, and the values by block and column, NaN where a cell is not done."""
    columns = [tuple(levels) for levels in cells[axes].drop_duplicates().to_numpy().tolist()]
    numbered = cells.assign(column=cells.groupby(axes, sort=False).ngroup())
    return columns, numbered.pivot(index=list(BLOCK_AXES), columns="column", values="value").to_numpy(dtype=np.float64)


def _comparison(
    metric: str, arm: Column, columns: list[Column], blocks: Floats, rope: float, alpha: float
) -> Comparison:
    known = ~np.isnan(blocks)
    done = np.flatnonzero(known.any(axis=0))
    kept = tuple(columns[i] for i in done)
    values = blocks[known[:, done].all(axis=1) & bool(len(done))][:, done]
    return Comparison(
        metric=metric,
        arm=arm,
        columns=kept,
        ranks=tuple(pd.DataFrame(values).rank(axis=1, ascending=False).mean().tolist()),
        n_blocks=len(values),
        n_left_out=len(blocks) - len(values),
        friedman=friedman(values, alpha) if _testable(values, fewest_columns=3) else Friedman(),
        pairs=_pairs(kept, values, rope),
        warnings=tuple(_warnings(values, never_done=[column for column in columns if column not in kept])),
    )


def _testable(values: Floats, fewest_columns: int) -> bool:
    return len(values) >= FEWEST_BLOCKS and len(values.T) >= fewest_columns


def _pairs(columns: tuple[Column, ...], values: Floats, rope: float) -> tuple[Pair, ...]:
    """Set every two columns against each other."""
    means = values.mean(axis=0) if len(values) else np.full(len(columns), nan)
    positions = list(combinations(range(len(columns)), 2))
    if not _testable(values, fewest_columns=2):
        return tuple(Pair(columns[i], columns[j], float(means[i] - means[j])) for i, j in positions)
    nemenyi, wilcoxon = nemenyi_p_values(values), wilcoxon_holm_p_values(values)
    weights = draw_weights(len(values), SEED)
    return tuple(
        Pair(
            left=columns[i],
            right=columns[j],
            difference=float(means[i] - means[j]),
            nemenyi_p=float(nemenyi[i, j]) if len(columns) > 2 else nan,
            wilcoxon_p=float(wilcoxon[i, j]),
            posterior=signed_rank(values[:, i], values[:, j], rope=rope, weights=weights),
        )
        for i, j in positions
    )


def _warnings(values: Floats, never_done: list[Column]) -> Iterator[str]:
    """Say in words what is lacking."""
    n, k = values.shape
    for column in never_done:
        yield f"{' '.join(column)} has no result and takes no part"
    if k < 2:
        yield "fewer than 2 resamplers have results: there is nothing to compare"
    elif n < FEWEST_BLOCKS:
        yield f"{plural(n, 'complete block')}: too few for any test, so none was made"
    elif n < FEW_BLOCKS:
        yield f"{plural(n, 'complete block')}: few, so that only large and steady differences can be told from chance"
    if k == 2:
        yield "2 resamplers: Friedman's and Nemenyi's tests need 3, see Wilcoxon's"
