"""Compute the numbers of a table from cells: which folds count, their means, and notes about the other folds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import nan

import pandas as pd

from raygrid.axes import AXES
from raygrid.errors import UsageError
from raygrid.report.left_out import LASTING, Key, cells_of, groups, left_out_of, possible_of, tally
from raygrid.report.missing import Missing
from raygrid.wording import plural, ranges


@dataclass(frozen=True)
class Number:
    """A mean over folds and what stands behind it; a dash where no fold does.

    Attributes
    ----------
    value : float
    spread : float
        The sample standard deviation over the folds of one data set; NaN where the number averages several, because
        fold 3 of one has nothing to do with fold 3 of another.
    n_folds, n_cells, n_lost : int
        How many stand behind it; of the cells, how many lost a class.
    best : bool
        Whether it is the highest of those of its row that stand on the same cells.
    note : str
        What a reader must know: what is left out, for example.
    standard_error : float
        Of the value, as an estimate of the mean over all folds that could be drawn from these images: of one data set
        the spread over the root of the number of folds; of several, those of the data sets combined.
    is_comparable : bool
        Whether it stands on the same folds and levels as the number of its row that stands on the most.
    cells : frozenset
        The folds and levels that are averaged.
    """

    value: float = nan
    spread: float = nan
    n_folds: int = 0
    n_cells: int = 0
    n_lost: int = 0
    best: bool = False
    note: str = ""
    standard_error: float = nan
    is_comparable: bool = field(default=True, compare=False)
    cells: frozenset[Key] = field(default=frozenset(), compare=False, repr=False)

    def in_standard_errors(self, published: float) -> float:
        """Return how far the value is above a published one, in standard errors of the value; NaN without any.

        The published mean has an error of its own, which papers do not state: where it stands on as many folds n, this
        is sqrt(2) times a t distribution of n - 1 degrees of freedom, above 3.2 in one case of twenty with 10 folds.
        """
        return (self.value - published) / self.standard_error if self.standard_error > 0 else nan


def average(
    frame: pd.DataFrame, rows: Sequence[str], columns: Sequence[str], missing: Missing
) -> tuple[dict[Key, Number], dict[Key, str]]:
    """Average the cells of a frame first within each fold, then over folds.

    Parameters
    ----------
    frame : DataFrame
        One line per cell and metric, as `raygrid.report.table` takes it.
    rows, columns : sequence of str
        The columns of the frame whose levels identify a row of the table (the metric first) and a column of it.
    missing : {"refuse", "mark", "drop"}
        What to do about cells that are not done, but might be. Of those that can never be, a level that is averaged is
        left out where it has them in all folds, and otherwise the folds that have them: from the number, or with "drop"
        from the whole row.

    Returns
    -------
    dict of Number by levels of rows and columns
        One of every combination that has a cell.
    dict of str by levels of rows
        Which folds stand behind the rows that have lost some.

    Raises
    ------
    UsageError
        Such a cell exists and `missing` is "refuse".
    """
    if missing == "refuse":
        refuse(frame)
    key = [*rows, *columns]
    averaged = [axis for axis in AXES if axis not in (*key, "fold")]
    possible = possible_of(frame, key, averaged, keeps_folds=missing == "drop")
    folds = _fold_means(possible, key)
    counted = _paired(folds, rows, columns) if missing == "drop" else folds[groups(folds, key)["done"].transform("all")]
    shortfalls = groups(frame, key)["status"].agg(_shortfall).to_dict()
    dashes = {levels: Number(note=note) for levels, note in shortfalls.items()}
    left_out = left_out_of(frame, possible, key, averaged)
    numbers = {
        levels: replace(number, note="; ".join(filter(None, [left_out.get(levels, ""), number.note])))
        for levels, number in _means_over_folds(counted, _errors(possible, counted, key), key).items()
    }
    of_each = cells_of(possible, counted, key, averaged)
    numbers = {levels: replace(number, cells=of_each[levels]) for levels, number in numbers.items()}
    return dashes | numbers, _fold_notes(_fold_means(frame, key), counted, rows) if missing == "drop" else {}


def refuse(frame: pd.DataFrame) -> None:
    """Raise if a cell lacks the result that another run might give."""
    said, _ = without_result(frame)
    if said:
        again = "run the grid again, or pass --missing mark (dash them) or --missing drop (leave their folds out)"
        raise UsageError(f"{said}; {again}")


def without_result(frame: pd.DataFrame) -> tuple[str, str]:
    """Return how many cells lack the result that another run might give, and their folds; nothing where none does."""
    lacking = frame[~frame["status"].isin(["done", *LASTING])].drop_duplicates(list(AXES))
    if lacking.empty:
        return "", ""
    of = plural(len(frame.drop_duplicates(list(AXES))), "cell")
    folds = ", ".join(ranges(map(str, sorted(set(lacking["fold"])))))
    return f"{len(lacking)} of {of} have no result ({tally(lacking['status'])})", folds


def _fold_means(frame: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return one line per number and fold: its mean over the averaged axes, and what became of its cells."""
    flagged = frame.assign(done=frame["status"] == "done", lasting=frame["status"].isin(LASTING))
    means: pd.DataFrame = groups(flagged, [*key, "fold"]).agg(
        value=("value", "mean"),
        n_cells=("value", "size"),
        n_lost=("lost", "sum"),
        done=("done", "all"),
        lasting=("lasting", "any"),
    )
    return means.reset_index()


def _paired(folds: pd.DataFrame, rows: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Keep, of each row of the table, the folds in which every column has cells and all of them are done.

    A column whose folds all have cells that can never have the metric takes no fold from the others.
    """
    possible = folds[~groups(folds, [*rows, *columns])["lasting"].transform("all")]
    possible = possible.assign(column=groups(possible, columns).ngroup())
    in_fold = groups(possible, [*rows, "fold"])
    complete = in_fold["column"].transform("size") == groups(possible, rows)["column"].transform("nunique")
    paired: pd.DataFrame = possible[complete & in_fold["done"].transform("all")]
    return paired


def _errors(frame: pd.DataFrame, counted: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return the spread and the standard error of each number, by its key, from the folds that count."""
    place = list(dict.fromkeys([*key, "fold"]))
    lines = frame.merge(counted[place], on=place)
    of_folds = groups(lines, [*key, "dataset", "fold"])["value"].mean().reset_index()
    of_datasets = groups(of_folds, [*key, "dataset"])["value"].agg(spread="std", n_folds="size").reset_index()
    of_datasets["variance"] = of_datasets["spread"] ** 2 / of_datasets["n_folds"]
    found: pd.DataFrame = groups(of_datasets, key).agg(
        spread=("spread", "first"), variance=("variance", lambda some: some.sum(skipna=False)), n=("variance", "size")
    )
    return pd.DataFrame(
        {"spread": found["spread"].where(found["n"] == 1), "error": found["variance"] ** 0.5 / found["n"]}
    )


def _means_over_folds(folds: pd.DataFrame, errors: pd.DataFrame, key: Sequence[str]) -> dict[Key, Number]:
    """Average the folds that count."""
    means = groups(folds, key).agg(
        value=("value", "mean"),
        n_folds=("value", "size"),
        n_cells=("n_cells", "sum"),
        n_lost=("n_lost", "sum"),
        fewest=("n_cells", "min"),
        most=("n_cells", "max"),
    )
    return {
        line.Index: Number(
            value=line.value,
            spread=line.spread,
            standard_error=line.error,
            n_folds=line.n_folds,
            n_cells=line.n_cells,
            n_lost=line.n_lost,
            # Folds that average different cells are not repetitions of one another.
            note="" if line.fewest == line.most else f"its folds have {line.fewest} to {line.most} cells",
        )
        for line in means.join(errors).itertuples()
    }


def _fold_notes(declared: pd.DataFrame, counted: pd.DataFrame, rows: Sequence[str]) -> dict[Key, str]:
    """Say which folds stand behind each row of the table that has lost some."""
    kept = {levels: sorted(set(folds)) for levels, folds in groups(counted, rows)["fold"]}
    notes = {}
    for levels, folds in groups(declared, rows)["fold"]:
        left = kept.get(levels, [])
        if len(left) < folds.nunique():
            which = f": {', '.join(map(str, left))}" if left else ""
            notes[levels] = f"{len(left)} of {plural(folds.nunique(), 'fold')}{which}"
    return notes


def _shortfall(statuses: Iterable[str]) -> str:
    """Say how many of a number's cells are not done, by status."""
    statuses = list(statuses)
    lacking = [status for status in statuses if status != "done"]
    return f"of {plural(len(statuses), 'cell')}: {tally(lacking)}" if lacking else ""
