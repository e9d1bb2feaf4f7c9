"""Tables read from records: `table` computes the numbers, the four `to_...` print them."""

from raygrid.report.latex import to_latex
from raygrid.report.numbers import Missing, Number
from raygrid.report.render import to_csv, to_markdown
from raygrid.report.tables import Row, Table, table
from raygrid.report.terminal import to_terminal

__all__ = ["Missing", "Number", "Row", "Table", "table", "to_csv", "to_latex", "to_markdown", "to_terminal"]
