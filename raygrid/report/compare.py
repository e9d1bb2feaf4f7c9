"""Compare the user's table with a published one, number by number, and list what only one of them has."""

from collections.abc import Collection
from dataclasses import dataclass
from math import isnan, nan

from raygrid.axes import axis_name
from raygrid.errors import UsageError
from raygrid.report.numbers import Key, Number
from raygrid.report.published import Published, key_names
from raygrid.report.tables import Table

FEWEST_RANKED = 3  # two resamplers agree or they do not: a correlation of 1 or -1 says nothing more


@dataclass(frozen=True)
class Difference:
    """One number of the table and its published counterpart."""

    metric: str
    level: str | float
    column: tuple[str, ...]
    value: float
    published: float
    spread: float
    n_folds: int

    @property
    def difference(self) -> float:
        """Value minus published."""
        return self.value - self.published

    @property
    def in_spreads(self) -> float:
        """The difference in units of the spread over folds; NaN where there is none."""
        return self.difference / self.spread if self.spread > 0 else nan


@dataclass(frozen=True)
class Agreement:
    """Whether a row orders the resamplers of an arm as the published one does: Spearman's rank correlation."""

    metric: str
    level: str | float
    arm: tuple[str, ...]
    n_resamplers: int
    correlation: float


@dataclass(frozen=True)
class Contrast:
    """A table against a published one."""

    published: str
    row_axis: str
    differences: tuple[Difference, ...]
    agreements: tuple[Agreement, ...]
    only_here: tuple[str, ...]
    only_published: tuple[str, ...]


def compare(table: Table, published: Published) -> Contrast:
    """Compare every number that both have.

    Parameters
    ----------
    table : Table
        From `raygrid.report.table`, with the rows that the published table has.
    published : Published

    Returns
    -------
    Contrast
        A dash of either is a number that it does not have.

    Raises
    ------
    UsageError
        The rows of the two are not levels of the same axis.
    """
    if table.row_axes != (published.row_axis,):
        by = " and ".join(table.row_axes)
        raise UsageError(f"{published.name}: got rows by {published.row_axis}; expected rows by {by}")
    ours = {key: number for key, number in numbers_of(table).items() if number.n_folds}
    theirs = {key: value for key, value in published.values.items() if not isnan(value)}
    axes = ("metric", *table.row_axes, *table.column_axes)
    differences = tuple(_difference(key, number, theirs[key]) for key, number in ours.items() if key in theirs)
    return Contrast(
        published=published.name,
        row_axis=published.row_axis,
        differences=differences,
        agreements=_agreements(differences),
        only_here=_absent(ours, theirs, axes),
        only_published=_absent(theirs, ours, axes),
    )


def numbers_of(table: Table) -> dict[Key, Number]:
    """Return the numbers of a table by metric, level of the row axis, and levels of the column axes."""
    return {
        (row.metric, *row.levels, *column): number
        for row in table.rows
        for column, number in zip(table.columns, row.numbers, strict=True)
    }


def values_of(table: Table) -> dict[Key, float]:
    """Return the values of a table by the same key, NaN for a dash: what `raygrid.report.claims` takes."""
    return {key: number.value for key, number in numbers_of(table).items()}


def _difference(key: Key, number: Number, published: float) -> Difference:
    metric, level, *column = key
    names = tuple(map(str, column))
    place = level if isinstance(level, (str, float)) else str(level)
    return Difference(str(metric), place, names, number.value, published, number.spread, number.n_folds)


def _agreements(differences: tuple[Difference, ...]) -> tuple[Agreement, ...]:
    """Return the rank correlation of every row and arm."""
    groups: dict[tuple[str, str | float, tuple[str, ...]], list[Difference]] = {}
    for difference in differences:
        groups.setdefault((difference.metric, difference.level, difference.column[:-1]), []).append(difference)
    return tuple(Agreement(*place, len(group), _rank_correlation(group)) for place, group in groups.items())


def _rank_correlation(group: list[Difference]) -> float:
    """Return Spearman's rank correlation; NaN with fewer than three resamplers, or if one side has them all equal."""
    from scipy import stats

    values, published = [d.value for d in group], [d.published for d in group]
    if len(group) < FEWEST_RANKED or len(set(values)) == 1 or len(set(published)) == 1:
        return nan
    return float(stats.spearmanr(values, published).statistic)


def _absent(present: Collection[Key], other: Collection[Key], axes: tuple[str, ...]) -> tuple[str, ...]:
    """Name what the other does not have: a level if it has no number of it, else the single number."""
    known = [{key[i] for key in other} for i in range(len(axes))]
    names = []
    for key in present:
        if key not in other:
            levels = key_names(key)
            new = [i for i, level in enumerate(key) if level not in known[i]]
            names += [f"{axis_name(axes[i])} {levels[i]}" for i in new] or [" ".join(levels)]
    return tuple(dict.fromkeys(names))
