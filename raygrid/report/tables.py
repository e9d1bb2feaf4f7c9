"""The tables of a paper as frozen values: rows and columns with the numbers of `raygrid.report.numbers`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from math import nan
from typing import Any, get_args

import pandas as pd

from raygrid.axes import ALIASES, AXES, METHOD_AXES, ORDERED_AXES, axis_name, level_name, level_phrase
from raygrid.errors import UsageError, choices
from raygrid.report.left_out import Key
from raygrid.report.missing import Missing
from raygrid.report.numbers import Number, average
from raygrid.wording import plural

DECIMALS = 4


@dataclass(frozen=True)
class Row:
    """The numbers of one metric at one level of every row axis, in the order of the table's columns."""

    metric: str
    levels: tuple[str | float, ...]
    numbers: tuple[Number, ...]
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of numbers under columns, each of which is a tuple with one level of every column axis."""

    title: str
    row_axes: tuple[str, ...]
    column_axes: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    rows: tuple[Row, ...]
    basis: str

    @property
    def groups(self) -> list[tuple[tuple[str, ...], list[int]]]:
        """The columns that share all levels but the last: those levels as a reader names them, and the positions."""
        runs = groupby(range(len(self.columns)), key=lambda i: self.columns[i][:-1])
        axes = self.column_axes[:-1]
        return [(tuple(map(level_phrase, axes, shared)), list(positions)) for shared, positions in runs]


def table(
    frame: pd.DataFrame, *, rows: str | Sequence[str], columns: Sequence[str] = METHOD_AXES, missing: Missing = "refuse"
) -> Table:
    """Tabulate every metric by some axes, averaged within each fold over the axes not shown, then over folds.

    Parameters
    ----------
    frame : DataFrame
        One line per cell and metric, in the order of the grid, with the columns `metric` (str), `dataset` (str),
        `imbalance` (an ordered categorical), `fold` (int), `representation`, `classifier`, `resampler`, `status` (str),
        `value` (float) and `lost` (bool: a class without training samples, scored 0).
    rows : str or sequence of str
        The axis or axes whose levels are the rows: dataset for the paper's Table 1, imbalance for its Table 2.
    columns : sequence of str
        The axes whose levels are the columns, but for those that are rows.
    missing : {"refuse", "mark", "drop"}
        What to do where a cell is neither done nor infeasible: refuse the table, print the numbers it belongs to as
        dashes, or leave its fold out of the whole row, so that the numbers of a row stay paired. What is infeasible, or
        done but without the metric, is left out of a number, which says so in a note: the levels that have no result in
        any fold, then the folds that lack one. A number of which nothing is left is a dash.

    Returns
    -------
    Table
        The best number of each row, compared as printed, is flagged, of those that stand on the same folds and levels
        as the one with the most; of every metric higher is better.

    Raises
    ------
    UsageError
        There is no cell, a cell has no result and `missing` is "refuse", or an argument is not one of its choices.
    """
    rows = (rows,) if isinstance(rows, str) else tuple(rows)
    rows, columns = (tuple(ALIASES.get(axis, axis) for axis in axes) for axes in (rows, columns))
    column_axes = [axis for axis in columns if axis not in rows]
    _check(frame, rows, column_axes, missing)
    heads = _columns(frame, column_axes)
    numbers, notes = average(frame, ["metric", *rows], column_axes, missing)
    lines = [
        Row(metric, levels, _numbers(numbers, (metric, *levels), heads), notes.get((metric, *levels), ""))
        for metric, levels in product(_levels(frame, "metric"), _rows(frame, rows))
    ]
    shown = (*rows, *column_axes, "fold")
    return Table(
        title=_title(frame, rows, averaged=[axis for axis in AXES if axis not in shown]),
        row_axes=rows,
        column_axes=tuple(column_axes),
        columns=heads,
        rows=tuple(lines),
        basis=_basis([number for line in lines for number in line.numbers if number.n_folds]),
    )


def _check(frame: pd.DataFrame, rows: Sequence[str], columns: Sequence[str], missing: str) -> None:
    """Refuse what cannot be tabulated."""
    for where, axes in (("rows", rows), ("columns", columns)):
        if not axes:
            also = " that is not among the rows" if where == "columns" else ""
            raise UsageError(f"{where}: got no axis{also}; expected at least one of {', '.join(AXES)}")
        for axis in axes:
            if axis not in AXES:
                raise UsageError(f"{where}: {choices(axis, AXES)}")
    if missing not in get_args(Missing):
        raise UsageError(f"missing: {choices(missing, get_args(Missing))}")
    if frame.empty:
        raise UsageError("got no cells; expected at least one; widen the selection")


def _levels(frame: pd.DataFrame, axis: str) -> list[Any]:
    """Return the levels of an axis in the order in which a table has them."""
    levels = frame[axis].drop_duplicates()
    return (levels.sort_values() if axis in ORDERED_AXES else levels).tolist()


def _rows(frame: pd.DataFrame, axes: Sequence[str]) -> list[tuple[str | float, ...]]:
    """Return the combinations of levels that the frame has, each axis in the order of a table."""
    present = set(frame[list(axes)].itertuples(index=False, name=None))
    return [levels for levels in product(*(_levels(frame, axis) for axis in axes)) if levels in present]


def _columns(frame: pd.DataFrame, axes: list[str]) -> tuple[tuple[str, ...], ...]:
    """Return the columns in order of first appearance, those of one group side by side."""
    columns = list(frame[axes].drop_duplicates().itertuples(index=False, name=None))
    groups = [column[:-1] for column in columns]
    return tuple(sorted(columns, key=lambda column: groups.index(column[:-1])))


def _numbers(numbers: dict[Key, Number], row: Key, columns: Sequence[Key]) -> tuple[Number, ...]:
    """Return the numbers of a row, the best of them flagged."""
    # The arms of a grid differ in their levels, so not every row crosses every column.
    line = [numbers.get((*row, *column), Number(note="not in the grid")) for column in columns]
    fullest = max(line, key=lambda number: number.n_cells).cells
    comparable = [bool(number.n_folds) and number.cells == fullest for number in line]
    best = max(
        (round(n.value, DECIMALS) for n, is_comparable in zip(line, comparable, strict=True) if is_comparable),
        default=nan,
    )
    return tuple(
        _noted(
            replace(n, best=is_comparable and round(n.value, DECIMALS) == best, is_comparable=is_comparable),
        )
        for n, is_comparable in zip(_marked(line), comparable, strict=True)
    )


def _noted(number: Number) -> Number:
    """Say of how many of a number's cells the resampler removed a class, which hides nothing else of the number."""
    if not number.n_lost:
        return number
    lost = f"{number.n_lost} of {plural(number.n_cells, 'cell')} lost a class, scored 0"
    return replace(number, note="; ".join(filter(None, [number.note, lost])))


def _marked(line: list[Number]) -> list[Number]:
    """Say of each number that averages fewer cells a fold than others of its row: it cannot be compared with them."""
    averaged = [number.n_cells / number.n_folds if number.n_folds else 0 for number in line]
    most = max(averaged, default=0)
    note = f"averages fewer cells than others of its row, which have {most:g} a fold"
    return [
        replace(number, note="; ".join(filter(None, [number.note, f"{cells:g} a fold: {note}"])))
        if 0 < cells < most and not number.note
        else number
        for number, cells in zip(line, averaged, strict=True)
    ]


def _title(frame: pd.DataFrame, rows: Sequence[str], averaged: list[str]) -> str:
    """Say what the table shows, of which levels alone, and over which others its numbers are averaged."""
    levels = {axis: _levels(frame, axis) for axis in (*rows, *averaged)}
    of = [(len(levels[axis]), axis_name(axis, levels[axis]), map(level_name, levels[axis])) for axis in averaged]
    alone = [f"{name} {', '.join(names)}" for n, name, names in of if n == 1]
    over = [f"{name} {', '.join(names)}" for n, name, names in of if n > 1]
    title = f"Results by {' and '.join(axis_name(axis, levels[axis]) for axis in rows)}"
    parts = [("for", alone), ("averaged over", over)]
    return ", ".join([title, *(f"{word} {' and '.join(names)}" for word, names in parts if names)])


def _basis(numbers: list[Number]) -> str:
    """Say how many folds and cells stand behind the numbers."""
    if not numbers:
        return "No number has a fold behind it."
    folds, cells = {number.n_folds for number in numbers}, {number.n_cells for number in numbers}
    unequal = "" if len(folds) == len(cells) == 1 else "; the CSV form has the counts of each"
    return f"Means over {_span(folds, 'fold')}, {_span(cells, 'cell')} a number{unequal}."


def _span(counts: set[int], noun: str) -> str:
    """Return, for example, *10 folds* or *8 to 10 folds*."""
    lowest = "" if len(counts) == 1 else f"{min(counts)} to "
    return lowest + plural(max(counts), noun)
