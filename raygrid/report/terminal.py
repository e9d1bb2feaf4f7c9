"""The terminal form of a table. Rich is imported only where it is used."""

from typing import TYPE_CHECKING

from raygrid.report.render import basis, by_metric, footnotes, number_text, printed, row_heading, row_name
from raygrid.report.tables import Table

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table as RichTable


def to_terminal(table: Table, spread: bool = False, *, width: int | None = None) -> "Group":
    """Return a rich renderable: one block a group of columns, side by side where the width allows, else stacked.

    A group that is wider than `width` characters becomes several blocks, so that no number is shortened.
    """
    from rich.columns import Columns
    from rich.console import Group
    from rich.text import Text

    blocks = [
        _block(table, " · ".join(group), some, spread)
        for group, positions in table.groups
        for some in _fitting(table, positions, spread, width)
    ]
    notes = [f"({mark}) {note}" for note, mark in footnotes(table).items()]
    below = Text("\n".join([basis(table, spread), *notes]))
    return Group(Text(table.title, style="bold"), Text(), Columns(blocks, padding=(1, 3)), Text(), below)


def _fitting(table: Table, positions: list[int], spread: bool, width: int | None) -> list[list[int]]:
    """Return the columns of a group in runs that are at most so wide, beside the levels of the rows."""
    marks = {note: f"({mark})" for note, mark in footnotes(table).items()} | {"": ""}
    names = [f"  {row_name(table, row)}{marks[row.note]}" for row in table.rows]
    left = max(map(len, [row_heading(table), *names, *(row.metric for row in table.rows)]))

    def width_of(position: int) -> int:
        head = printed(table.column_axes[-1], table.columns[position][-1])
        numbers = (row.numbers[position] for row in table.rows)
        return 1 + max(map(len, [head, *(number_text(number, spread) + marks[number.note] for number in numbers)]))

    runs: list[list[int]] = [[]]
    for position in positions:
        if width and runs[-1] and left + sum(map(width_of, [*runs[-1], position])) > width:
            runs.append([])
        runs[-1].append(position)
    return runs


def _block(table: Table, group: str, positions: list[int], spread: bool) -> "RichTable":
    """Return the columns of one group under its name, beside the levels of the rows."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    marks = {note: f"({mark})" for note, mark in footnotes(table).items()} | {"": ""}
    block = RichTable(title=Text(group, style="bold"), box=box.SIMPLE_HEAD, show_edge=False, padding=0, pad_edge=False)
    block.add_column(row_heading(table))
    for i in positions:
        block.add_column(Text(printed(table.column_axes[-1], table.columns[i][-1])), justify="right")
    for metric, rows in by_metric(table):
        block.add_row(Text(metric, style="italic"))
        for row in rows:
            numbers = [row.numbers[i] for i in positions]
            texts = [number_text(number, spread) + marks[number.note] for number in numbers]
            styled = [Text(text, "bold" if n.best else "") for text, n in zip(texts, numbers, strict=True)]
            block.add_row(Text(f"  {row_name(table, row)}{marks[row.note]}"), *styled)
    return block
