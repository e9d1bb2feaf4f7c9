"""The terminal form of a table. Rich is imported only where it is used."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from raygrid.report.render import basis, footnotes, number_text, printed, row_heading, row_name
from raygrid.report.tables import Table

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table as RichTable
    from rich.text import Text


_GAP = 3  # between blocks, in characters
_LONGEST_NAME, _LONGEST_HEAD = 32, 16  # characters of a line, of a row's name and of a column's


class _Texts(NamedTuple):
    """What is printed of each row, its name and its numbers, and the characters of all names and of each column."""

    names: list[str]
    numbers: list[list[str]]
    left: int
    widths: list[int]


def to_terminal(table: Table, spread: bool = False, *, width: int | None = None) -> "Group":
    """Return a rich renderable: one block a group of columns, side by side where the width allows, else stacked.

    A group that is wider than `width` characters becomes several blocks and a long name several lines, so that no
    number is shortened.
    """
    from rich.console import Group
    from rich.text import Text

    marks = {note: f"({mark})" for note, mark in footnotes(table).items()}
    texts = _texts(table, marks, spread=spread, width=width)
    blocks = [
        (_block(table, texts, " · ".join(group), some), taken)
        for group, positions in table.groups
        for some, taken in _fitting(texts, positions, width)
    ]
    below = Text("\n".join([basis(table, spread), *(f"{mark} {note}" for note, mark in marks.items())]))
    return Group(Text(table.title, style="bold"), Text(), *_side_by_side(blocks, width), Text(), below)


def _side_by_side(blocks: "list[tuple[RichTable, int]]", width: int | None) -> "Iterator[RichTable | Text]":
    """Yield lines of as many blocks as the width allows, given each with the characters that it takes."""
    from rich.table import Table as RichTable
    from rich.text import Text

    lines: list[list[RichTable]] = []
    left = 0
    for block, taken in blocks:
        if not lines or (width is not None and taken > left):
            lines.append([])
            left = width or 0
        lines[-1].append(block)
        left -= taken + _GAP
    for i, line in enumerate(lines):
        grid = RichTable.grid(padding=(0, _GAP, 0, 0))
        for _ in line:
            grid.add_column(vertical="bottom")  # heads may have more lines than others; the rows below them are as many
        grid.add_row(*line)
        if i:
            yield Text()
        yield grid


def _fitting(texts: _Texts, positions: list[int], width: int | None) -> Iterator[tuple[list[int], int]]:
    """Yield the columns of a group in runs that fit beside the levels of the rows, and the characters of each."""
    left, widths = texts.left, texts.widths
    run: list[int] = []
    for position in positions:
        if width and run and left + sum(1 + widths[i] for i in [*run, position]) > width:
            yield run, left + sum(1 + widths[i] for i in run)
            run = []
        run.append(position)
    yield run, left + sum(1 + widths[i] for i in run)


def _texts(table: Table, marks: Mapping[str, str], *, spread: bool, width: int | None) -> _Texts:
    """Return what is printed of each row, with the marks of its notes.

    Long names have several lines where a group of columns would not fit into `width` beside them.
    """
    names = [f"  {row_name(table, row)}{marks.get(row.note, '')}" for row in table.rows]
    numbers = [[number_text(each, spread) + marks.get(each.note, "") for each in row.numbers] for row in table.rows]
    left = max(map(len, [row_heading(table), *names, *(row.metric for row in table.rows)]))
    columns = []
    for i, levels in enumerate(table.columns):
        head = min(_LONGEST_HEAD, len(printed(table.column_axes[-1], levels[-1])))
        columns.append(max([head, *(len(of_row[i]) for of_row in numbers)]))
    widest = max((sum(1 + columns[i] for i in positions) for _, positions in table.groups), default=0)
    left = left if width is None else min(left, max(_LONGEST_NAME, width - widest))
    return _Texts(names, numbers, left, columns)


def _block(table: Table, texts: _Texts, group: str, positions: list[int]) -> "RichTable":
    """Return the columns of one group under its name, beside the levels of the rows."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    title = Text(group, style="bold", overflow="fold")  # else the grid of blocks cuts it
    block = RichTable(title=title, box=box.SIMPLE_HEAD, show_edge=False, padding=0, pad_edge=False)
    block.add_column(row_heading(table), max_width=texts.left, overflow="fold")
    for i in positions:
        head = Text(printed(table.column_axes[-1], table.columns[i][-1]))
        block.add_column(head, justify="right", max_width=texts.widths[i], overflow="fold")
    lines = zip(table.rows, texts.names, texts.numbers, strict=True)
    for metric, of_metric in groupby(lines, key=lambda line: line[0].metric):
        block.add_row(Text(metric, style="italic"))
        for row, name, numbers in of_metric:
            styled = [Text(numbers[i], "bold" if row.numbers[i].best else "") for i in positions]
            block.add_row(Text(name), *styled)
    return block
