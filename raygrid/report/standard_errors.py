"""The standard error of every number of a table: how far it may be from that of other images and folds."""

from collections.abc import Mapping
from math import nan, sqrt

import pandas as pd

from raygrid.axes import IMBALANCE, METHOD_AXES
from raygrid.report.inference.design import Design, designs_of
from raygrid.report.inference.paired import corrected_t
from raygrid.report.numbers import Key
from raygrid.report.results import Results


def standard_errors(results: Results, row_axis: str) -> dict[Key, float]:
    """Return them by metric, level of the row axis, representation, classifier, resampler; NaN where there is none."""
    designs = designs_of(results)
    groups = results.frame.groupby(["metric", row_axis, *METHOD_AXES], sort=False, observed=True)
    return {key: standard_error(lines, designs) for key, lines in groups}


def standard_error(lines: pd.DataFrame, designs: Mapping[str, Design]) -> float:
    """Return the standard error of the mean over data sets, levels of imbalance and folds.

    Folds of a data set share images (Nadeau and Bengio, 2003), and so do its levels of imbalance, which are averaged
    within each fold; data sets have nothing in common, so that their variances add up. It says nothing about other data
    sets.

    Parameters
    ----------
    lines : DataFrame
        One line per cell of one metric and method, as `raygrid.report.frame.frame_of` makes them.
    designs : mapping
        By data set.
    """
    variances = [_variance(of_one, designs[str(name)]) for name, of_one in lines.groupby("dataset", sort=False)]
    return sqrt(sum(variances)) / len(variances)


def _variance(lines: pd.DataFrame, design: Design) -> float:
    """Return the squared standard error of the mean over folds of one data set; NaN where it is not known."""
    wide = lines.pivot_table(index="fold", columns=IMBALANCE, values="value", observed=True, dropna=False).dropna()
    if len(wide) < 2:
        return nan
    folds = [int(fold) for fold in wide.index]
    found = corrected_t(
        wide.mean(axis=1).to_numpy()[:, None], design.correlation(wide.columns, folds), design.degrees(folds)
    )
    return float(found.standard_error[0]) ** 2
