"""Sheets: titled grids of text, for results that do not fit the paper's kind of table, and their two text forms."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from math import isnan
from typing import TYPE_CHECKING

from raygrid.report.render import DASH, MARKDOWN_ESCAPES, entry
from raygrid.report.sections import SectionName

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table as RichTable

SMALLEST_P = 0.0001


@dataclass(frozen=True)
class Sheet:
    """Rows of text under a head, with sentences below; columns are numbers unless they are among the text columns.

    The page shows a sheet in its section, folded unless `is_folded` is False. What is secondary is not one of the
    analyses that were chosen beforehand: the page shows it behind one more fold-out.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    text_columns: frozenset[int] = frozenset({0})
    section: SectionName = "statistics"
    is_folded: bool = True
    is_secondary: bool = False


def number(value: float, form: str = ".4f") -> str:
    """Return a number as text; a dash where there is none."""
    return DASH if isnan(value) else format(value, form)


def p_value(value: float) -> str:
    """Return a p value as text."""
    return f"<{SMALLEST_P}" if value < SMALLEST_P else number(value)


def sheets_to_markdown(sheets: Iterable[Sheet]) -> str:
    """Return the sheets in GitHub's Markdown."""
    return "\n".join(map(_markdown, sheets))


def _markdown(sheet: Sheet) -> str:
    marks = ["---" if i in sheet.text_columns else "---:" for i in range(len(sheet.head))]
    escaped = [[text.translate(MARKDOWN_ESCAPES) for text in row] for row in (sheet.head, *sheet.rows)]
    grid = "\n".join(f"| {' | '.join(row)} |" for row in (escaped[0], marks, *escaped[1:]))
    parts = [f"**{sheet.title.translate(MARKDOWN_ESCAPES)}**", *([grid] if sheet.rows else [])]
    return "\n\n".join([*parts, *(note.translate(MARKDOWN_ESCAPES) for note in sheet.notes)]) + "\n"


def sheets_to_terminal(sheets: Iterable[Sheet]) -> "Group":
    """Return the sheets as a rich renderable."""
    from rich.console import Group
    from rich.text import Text

    return Group(
        *(
            Group(Text(sheet.title, style="bold"), *_grid(sheet), Text("\n".join([*sheet.notes, ""])))
            for sheet in sheets
        )
    )


def _grid(sheet: Sheet) -> "list[RichTable]":
    """Return the rows, if there are any."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for i, name in enumerate(sheet.head):
        grid.add_column(Text(name), justify="left" if i in sheet.text_columns else "right")
    for row in sheet.rows:
        grid.add_row(*map(Text, row))
    return [grid] if sheet.rows else []


def to_csv_text(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return lines of values as CSV: numbers unrounded, unknown ones empty."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(
        [["" if isinstance(value, float) and isnan(value) else entry(value) for value in line] for line in lines]
    )
    return text.getvalue()
