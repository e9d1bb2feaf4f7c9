"""Tables as Markdown and CSV, and what these share with the other text forms."""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from itertools import count, groupby, product
from math import isnan
from string import ascii_lowercase

from raygrid.axes import axis_heading, csv_column, level_name
from raygrid.report.numbers import Number
from raygrid.report.tables import DECIMALS, Row, Table

RESAMPLERS = {"none": "Base", "ros": "ROS", "rus": "RUS", "smote": "SMOTE", "smote_enn": "S+ENN", "iht": "IHT"}
DASH = "—"
_FORMULA = re.compile(r"[=+@\t\r]|-(?![\d.]+(e[-+]?\d+)?$)")  # a negative number is none
SPREAD = (
    "After ± the sample standard deviation over the folds of one data set; numbers over several data sets have none."
)
MARKDOWN_ESCAPES = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>|"})


def printed(axis: str, level: str | float) -> str:
    """Return a level as the paper prints it."""
    name = level_name(level)
    return RESAMPLERS.get(name, name) if axis == "resampler" else name


def row_heading(table: Table) -> str:
    """Return the head above the rows' levels."""
    levels = zip(*(row.levels for row in table.rows), strict=True) if table.rows else [()] * len(table.row_axes)
    return " · ".join(axis_heading(axis, those) for axis, those in zip(table.row_axes, levels, strict=True))


def row_name(table: Table, row: Row) -> str:
    """Return the levels of a row as the paper prints them."""
    return " · ".join(printed(axis, level) for axis, level in zip(table.row_axes, row.levels, strict=True))


def fixed(value: float) -> str:
    """Return a number with the decimals that the paper prints."""
    return f"{value:.{DECIMALS}f}"


def number_text(number: Number, spread: bool) -> str:
    """Return a number, and its spread where asked for and known; a dash where there is none."""
    if not number.n_folds:
        return DASH
    return fixed(number.value) + (f" ±{fixed(number.spread)}" if spread and not isnan(number.spread) else "")


def footnotes(table: Table) -> dict[str, str]:
    """Return the notes of a table, in order of appearance and each once, with the mark that refers to each."""
    notes = [note for row in table.rows for note in (row.note, *(number.note for number in row.numbers)) if note]
    marks = ("".join(letters) for length in count(1) for letters in product(ascii_lowercase, repeat=length))
    return dict(zip(dict.fromkeys(notes), marks, strict=False))


def basis(table: Table, spread: bool) -> str:
    """Return the sentences on what the numbers are."""
    return f"{table.basis} {SPREAD}" if spread else table.basis


def by_metric(table: Table) -> Iterator[tuple[str, list[Row]]]:
    """Yield each metric with its rows."""
    for metric, rows in groupby(table.rows, key=lambda row: row.metric):
        yield metric, list(rows)


def to_markdown(table: Table, spread: bool = False) -> str:
    """Return the table in GitHub's Markdown, the best of each row in bold, footnotes below."""
    marks = {note: f"<sup>{mark}</sup>" for note, mark in footnotes(table).items()} | {"": ""}
    axis = table.column_axes[-1]
    # GitHub's tables have one line of headers only, so every column repeats its group.
    names = [
        "\n".join(filter(None, [" · ".join(group), printed(axis, table.columns[i][-1])]))
        for group, those in table.groups
        for i in those
    ]
    lines = [
        ["Metric", row_heading(table), *(_markdown(name).replace("\n", "<br>") for name in names)],
        ["---", "---", *("---:" for _ in names)],
    ]
    for metric, rows in by_metric(table):
        for i, row in enumerate(rows):
            level = _markdown(row_name(table, row)) + marks[row.note]
            numbers = (_markdown_number(number, spread) + marks[number.note] for number in row.numbers)
            lines.append([_markdown(metric) if i == 0 else "", level, *numbers])
    grid = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    notes = [f"{mark} {_markdown(note)}" for note, mark in marks.items() if note]
    return "\n\n".join([f"**{_markdown(table.title)}**", grid, _markdown(basis(table, spread)), *notes]) + "\n"


def _markdown(text: str) -> str:
    """Escape what Markdown would read as markup."""
    return text.translate(MARKDOWN_ESCAPES)


def _markdown_number(number: Number, spread: bool) -> str:
    """Return a number, in bold if it is the best."""
    text = number_text(number, spread)
    return f"**{text}**" if number.best else text


def to_csv(table: Table) -> str:
    """Return one line a number, unrounded and with the labels of the grid; an empty value is a dash."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    counts = ("value", "sd_over_folds", "standard_error", "n_folds", "n_cells", "note")
    writer.writerow(["metric", *map(csv_column, (*table.row_axes, *table.column_axes)), *counts])
    for row in table.rows:
        for column, number in zip(table.columns, row.numbers, strict=True):
            values = [
                "" if isnan(value) else repr(value) for value in (number.value, number.spread, number.standard_error)
            ]
            note = "; ".join(filter(None, [row.note, number.note]))
            levels = [row.metric, *map(level_name, (*row.levels, *column))]
            writer.writerow([*map(entry, levels), *values, number.n_folds, number.n_cells, entry(note)])
    return text.getvalue()


def entry(value: object) -> object:
    """Return a value as a CSV has it: a text that a spreadsheet would run as a formula begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
