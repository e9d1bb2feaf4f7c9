"""The terminal form of a table. Rich is imported only where it is used."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from raygrid.report.render import basis, by_metric, footnotes, number_text, printed, row_heading, row_name
from raygrid.report.tables import Table

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table as RichTable


_GAP = 3  # between blocks, in characters
_LONGEST_NAME, _LONGEST_HEAD = 32, 16  # characters of a line, of a row's name and of a column's


def to_terminal(table: Table, spread: bool = False, *, width: int | None = None) -> "Group":
    """Return a rich renderable: one block a group of columns, side by side where the width allows, else stacked.

    A group that is wider than `width` characters becomes several blocks and a long name several lines, so that no
    number is shortened.
    """
    from rich.console import Group
    from rich.text import Text

    blocks = [
        (_block(table, " · ".join(group), some, spread=spread, width=width), taken)
        for group, positions in table.groups
        for some, taken in _fitting(table, positions, spread, width)
    ]
    notes = [f"({mark}) {note}" for note, mark in footnotes(table).items()]
    below = Text("\n".join([basis(table, spread), *notes]))
    return Group(Text(table.title, style="bold"), Text(), *_side_by_side(blocks, width), Text(), below)


def _side_by_side(blocks: "list[tuple[RichTable, int]]", width: int | None) -> "Iterator[RichTable]":
    """Yield lines of as many blocks as the width allows, given each with the characters that it takes."""
    from rich.table import Table as RichTable

    lines: list[list[RichTable]] = []
    left = 0
    for block, taken in blocks:
        if not lines or (width is not None and taken > left):
            lines.append([])
            left = width or 0
        lines[-1].append(block)
        left -= taken + _GAP
    for i, line in enumerate(lines):
        grid = RichTable.grid(padding=(0, _GAP, int(i + 1 < len(lines)), 0))
        grid.add_row(*line)
        yield grid


def _fitting(table: Table, positions: list[int], spread: bool, width: int | None) -> Iterator[tuple[list[int], int]]:
    """Yield the columns of a group in runs that fit beside the levels of the rows, and the characters of each."""
    left, widths = _widths(table, spread, width)
    run: list[int] = []
    for position in positions:
        if width and run and left + sum(1 + widths[i] for i in [*run, position]) > width:
            yield run, left + sum(1 + widths[i] for i in run)
            run = []
        run.append(position)
    yield run, left + sum(1 + widths[i] for i in run)


def _widths(table: Table, spread: bool, width: int | None) -> tuple[int, list[int]]:
    """Return the characters of the levels of the rows and of each column.

    Long names have several lines where a group of columns would not fit into `width` beside them.
    """
    marks = _marks(table)
    names = [f"  {row_name(table, row)}{marks[row.note]}" for row in table.rows]
    left = max(map(len, [row_heading(table), *names, *(row.metric for row in table.rows)]))
    columns = []
    for i, levels in enumerate(table.columns):
        numbers = (row.numbers[i] for row in table.rows)
        head = min(_LONGEST_HEAD, len(printed(table.column_axes[-1], levels[-1])))
        columns.append(max([head, *(len(number_text(number, spread) + marks[number.note]) for number in numbers)]))
    widest = max((sum(1 + columns[i] for i in positions) for _, positions in table.groups), default=0)
    return left if width is None else min(left, max(_LONGEST_NAME, width - widest)), columns


def _marks(table: Table) -> dict[str, str]:
    return {note: f"({mark})" for note, mark in footnotes(table).items()} | {"": ""}


def _block(table: Table, group: str, positions: list[int], *, spread: bool, width: int | None) -> "RichTable":
    """Return the columns of one group under its name, beside the levels of the rows."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    marks, (left, widths) = _marks(table), _widths(table, spread, width)
    title = Text(group, style="bold", overflow="fold")  # else the grid of blocks cuts it
    block = RichTable(title=title, box=box.SIMPLE_HEAD, show_edge=False, padding=0, pad_edge=False)
    block.add_column(row_heading(table), max_width=left, overflow="fold")
    for i in positions:
        head = Text(printed(table.column_axes[-1], table.columns[i][-1]))
        block.add_column(head, justify="right", max_width=widths[i], overflow="fold")
    for metric, rows in by_metric(table):
        block.add_row(Text(metric, style="italic"))
        for row in rows:
            numbers = [row.numbers[i] for i in positions]
            texts = [number_text(number, spread) + marks[number.note] for number in numbers]
            styled = [Text(text, "bold" if n.best else "") for text, n in zip(texts, numbers, strict=True)]
            block.add_row(Text(f"  {row_name(table, row)}{marks[row.note]}"), *styled)
    return block
