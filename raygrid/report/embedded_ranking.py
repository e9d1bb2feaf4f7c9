"""The ranking inside the HTML page: that of the whole grid, and what the page ranks a part of it with."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from raygrid.axes import IMBALANCE, METHOD_AXES
from raygrid.metrics.further import range_of
from raygrid.report.inference.design import Design
from raygrid.report.inference.families import ALPHA
from raygrid.report.inference.paired import FEWEST_DATASETS, FEWEST_FOLDS
from raygrid.report.ranking import RankedMethod, Ranking, compared
from raygrid.report.results import Results

Positions = Mapping[str, Mapping[Any, int]]


def embedded_ranking(
    results: Results, rankings: Sequence[Ranking], designs: Mapping[str, Design], positions: Positions
) -> dict[str, Any]:
    """Return, as plain JSON values, what the page ranks methods with.

    Parameters
    ----------
    results : Results
    rankings : sequence of Ranking
        One a metric, of the whole grid.
    designs : mapping
        By data set.
    positions : mapping
        By axis, the position of every level.

    Returns
    -------
    dict
        ``rankings`` by metric; ``correlations`` of the folds of each data set, at each level of imbalance and, last,
        at all of them; ``nFoldsInTurn``, which together test the whole data set; ``quantiles`` of Student's t with 1,
        2, ... degrees of freedom; ``ranges``, what each metric can be, null where that is not known; the ``fewest``
        folds and data sets over which there is an interval.
    """
    return {
        "rankings": {ranking.metric: _ranking(ranking, positions) for ranking in rankings},
        "correlations": [_correlations(designs.get(name), positions[IMBALANCE]) for name in positions["dataset"]],
        "quantiles": _quantiles(max(results.places["fold"].nunique(), len(positions["dataset"]))),
        "nFoldsInTurn": results.cells[0].split.n_folds_in_turn if results.cells else 1,
        "ranges": {metric: _range(metric) for metric in results.metrics},
        "fewest": {"folds": FEWEST_FOLDS, "datasets": FEWEST_DATASETS},
    }


def _range(metric: str) -> list[float] | None:
    """Return the lowest and the highest value of a metric, if they are known."""
    ends = range_of(metric)
    return list(ends) if all(map(isfinite, ends)) else None


def _ranking(ranking: Ranking, positions: Positions) -> dict[str, Any]:
    is_tested = any(isfinite(method.difference_low) for method in ranking.methods)
    return {
        "methods": [_method(method, positions) for method in ranking.methods],
        "unit": ranking.unit,
        "notes": list(ranking.notes),
        "tests": compared(ranking.n_comparisons) if is_tested else "",
    }


def _method(ranked: RankedMethod, positions: Positions) -> dict[str, Any]:
    places = [positions[axis][level] for axis, level in zip(METHOD_AXES, ranked.method, strict=True)]
    numbers = {"value": ranked.mean, "low": ranked.low, "high": ranked.high, "behind": ranked.difference_to_best}
    rounded = {name: round(value, 6) if isfinite(value) else None for name, value in numbers.items()}
    return {"places": places, **rounded, "toldApart": ranked.told_apart}


def _correlations(design: Design | None, levels: Mapping[Any, int]) -> list[float]:
    """Return the correlation of folds at each level alone, and at all together; 0 where nothing is done."""
    if design is None or not design.sizes:
        return [0.0] * (len(levels) + 1)
    alone = [_correlation(design, [level]) if level in design.sizes else 0.0 for level in levels]
    return [*alone, _correlation(design, list(design.sizes))]


def _correlation(design: Design, levels: Sequence[Any]) -> float:
    folds = set.intersection(*(set(design.sizes[level]) for level in levels))
    return round(design.correlation(levels, sorted(folds)), 6) if folds else 0.0


def _quantiles(n_units: int) -> list[float]:
    from scipy import stats

    return [round(float(stats.t.isf(ALPHA / 2, df)), 4) for df in range(1, max(2, n_units))]
