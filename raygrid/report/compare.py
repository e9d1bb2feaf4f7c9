"""Compare the user's table with a published one, number by number, where both were obtained in the same way."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isnan, nan

from raygrid.axes import axis_name
from raygrid.errors import UsageError
from raygrid.report.left_out import Key
from raygrid.report.numbers import Number
from raygrid.report.protocol import Facts, differing, stated
from raygrid.report.published import Published, key_names
from raygrid.report.tables import DECIMALS, Table

FEWEST_RANKED = 3  # two resamplers agree or they do not: a correlation of 1 or -1 says nothing more
ALL = "all"  # facts


@dataclass(frozen=True)
class Difference:
    """One number of the table and its published counterpart.

    Attributes
    ----------
    metric, level, column
        Which number.
    number : Number
        Of the table.
    published : float
    differing : mapping
        The facts in which their protocols differ, and how.
    """

    metric: str
    level: str | float
    column: tuple[str, ...]
    number: Number
    published: float
    differing: Mapping[str, str]

    @property
    def value(self) -> float:
        """The number's value."""
        return self.number.value

    @property
    def difference(self) -> float:
        """Value minus published, 0 where both are printed alike."""
        return 0.0 if round(self.value, DECIMALS) == round(self.published, DECIMALS) else self.value - self.published

    @property
    def in_standard_errors(self) -> float:
        """The difference in units of the standard error; NaN where there is none."""
        return self.number.in_standard_errors(self.published)


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
    """A table against a published one.

    Attributes
    ----------
    published : Published
    differences : tuple of Difference
        The numbers that may be compared.
    refused : tuple of Difference
        Those whose protocols differ in a fact that nobody has said to go along with.
    agreements : tuple of Agreement
        Of the differences.
    only_here, only_published : tuple of str
        What only one of the two has.
    """

    published: Published
    differences: tuple[Difference, ...]
    refused: tuple[Difference, ...]
    agreements: tuple[Agreement, ...]
    only_here: tuple[str, ...]
    only_published: tuple[str, ...]


def compare(
    table: Table,
    published: Published,
    *,
    facts: Mapping[Key, Facts] | None = None,
    despite: Collection[str] = (),
) -> Contrast:
    """Compare every number that both have.

    Parameters
    ----------
    table : Table
        From `raygrid.report.table`, with the rows that the published table has.
    published : Published
    facts : mapping, optional
        The protocol of each number of the table, by level of the row axis and of the column axes.
    despite : collection of str
        The facts in which protocols may differ; ``all`` of them.

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
    axes, said = ("metric", *table.row_axes, *table.column_axes), stated(published.protocol)
    both = [
        _difference(
            key,
            number,
            theirs[key],
            differing=differing((facts or {}).get(key[1:], {}), said, published.row_axis),
        )
        for key, number in ours.items()
        if key in theirs
    ]
    compared = tuple(one for one in both if ALL in despite or set(one.differing) <= set(despite))
    return Contrast(
        published=published,
        differences=compared,
        refused=tuple(one for one in both if one not in compared),
        agreements=_agreements(compared),
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
    """Return the values of a table by the same key: what `raygrid.report.claims` takes.

    NaN for a dash, and for a number that averages other cells than the rest of its row.
    """
    return {key: number.value if number.is_comparable else nan for key, number in numbers_of(table).items()}


def _difference(key: Key, number: Number, published: float, *, differing: Mapping[str, str]) -> Difference:
    metric, level, *column = key
    place = level if isinstance(level, (str, float)) else str(level)
    names = tuple(map(str, column))
    return Difference(str(metric), place, names, number, published, differing)


def _agreements(differences: tuple[Difference, ...]) -> tuple[Agreement, ...]:
    """Return the rank correlation of every row and arm."""
    groups: dict[tuple[str, str | float, tuple[str, ...]], list[Difference]] = {}
    for difference in differences:
        groups.setdefault((difference.metric, difference.level, difference.column[:-1]), []).append(difference)
    return tuple(Agreement(*place, len(group), _rank_correlation(group)) for place, group in groups.items())


def _rank_correlation(group: list[Difference]) -> float:
    """Return Spearman's rank correlation; NaN with fewer than three resamplers, or if one side has them all equal.

    What is printed alike is tied.
    """
    from scipy import stats

    values, published = ([round(value, DECIMALS) for value in those] for those in zip(*_pairs(group), strict=True))
    if len(group) < FEWEST_RANKED or len(set(values)) == 1 or len(set(published)) == 1:
        return nan
    return float(stats.spearmanr(values, published).statistic)


def _pairs(group: list[Difference]) -> list[tuple[float, float]]:
    return [(difference.value, difference.published) for difference in group]


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
