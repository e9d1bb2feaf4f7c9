"""The LaTeX form of a table, and of figures."""

from collections.abc import Sequence
from math import isnan

from raygrid.report.figures.figure import SINGLE, Figure
from raygrid.report.numbers import Number
from raygrid.report.render import basis, by_metric, fixed, footnotes, printed, row_heading, row_name
from raygrid.report.tables import Row, Table

ESCAPES = str.maketrans(
    {char: f"\\{char}" for char in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
    | {"[": "{[}", "*": "{*}"}  # at the start of a line they would be arguments of the line break before it
    | {"±": r"$\pm$", "·": r"$\cdot$"}
)


# A document of the report's tables and figures, at the widths of a journal.
DOCUMENT = r"""\documentclass[twocolumn]{article}
\usepackage{booktabs,graphicx}
\usepackage[a4paper,textwidth=174mm,textheight=245mm]{geometry}
\setlength{\columnsep}{4mm}
\extrafloats{200}
\begin{document}
\IfFileExists{table1.tex}{\input{table1}}{}
\IfFileExists{table2.tex}{\input{table2}}{}
\input{figures}
\end{document}
"""


def to_latex(table: Table, spread: bool = False) -> str:
    r"""Return a float over both columns that needs \usepackage{booktabs} only; spreads have lines of their own."""
    marks = {note: rf"\textsuperscript{{{mark}}}" for note, mark in footnotes(table).items()} | {"": ""}
    notes = [f"{mark} {_escape(note)}." for note, mark in marks.items() if note]
    return "\n".join(
        [
            r"\begin{table*}",
            r"\centering",
            rf"\caption{{{_escape(table.title)}.}}",
            r"\footnotesize",
            r"\setlength{\tabcolsep}{3pt}",
            rf"\begin{{tabular}}{{ll{'r' * len(table.columns)}}}",
            r"\toprule",
            *_header(table),
            *_body(table, marks, spread),
            r"\bottomrule",
            r"\end{tabular}",
            "",
            r"\smallskip",
            r"\begin{minipage}{\textwidth}",
            r"\footnotesize",
            " \\\\\n".join([_escape(basis(table, spread)), *notes]),
            r"\end{minipage}",
            r"\end{table*}",
            "",
        ]
    )


def figures_to_latex(figures: Sequence[Figure]) -> str:
    r"""Return a float a figure, of one column or two as wide as it is, that needs \usepackage{graphicx} only.

    The files are looked for in figures/, beside the document; where they lie elsewhere, \graphicspath says so.
    """
    return "\n".join(_figure(figure) for figure in figures)


def _figure(figure: Figure) -> str:
    kind = "figure" if figure.canvas.get_size_inches()[0] <= SINGLE else "figure*"
    return "\n".join(
        [
            rf"\begin{{{kind}}}",
            r"\centering",
            rf"\includegraphics{{figures/{figure.name}.pdf}}",
            rf"\caption{{{_escape(figure.title)}. {_escape(figure.caption)}}}",
            rf"\label{{fig:{figure.name}}}",
            rf"\end{{{kind}}}",
            "",
        ]
    )


def _escape(text: str) -> str:
    """Escape what LaTeX would read as markup."""
    return text.translate(ESCAPES)


def _line(entries: list[str]) -> str:
    """Return a line of the table."""
    return " & ".join(entries) + r" \\"


def _header(table: Table) -> list[str]:
    """Return the two lines of headers, the groups underlined."""
    spans = [rf"\multicolumn{{{len(at)}}}{{c}}{{{_escape(' · '.join(group))}}}" for group, at in table.groups]
    # Positions count from 0, columns of the tabular from 1, after the two of the labels.
    rules = [rf"\cmidrule(lr){{{at[0] + 3}-{at[-1] + 3}}}" for _, at in table.groups]
    names = [_escape(printed(table.column_axes[-1], column[-1])) for column in table.columns]
    return [_line(["", "", *spans]), " ".join(rules), _line(["Metric", row_heading(table), *names])]


def _body(table: Table, marks: dict[str, str], spread: bool) -> list[str]:
    """Return the rows, a rule above each metric."""
    lines = []
    for metric, rows in by_metric(table):
        lines.append(r"\midrule")
        for i, row in enumerate(rows):
            level = _escape(row_name(table, row)) + marks[row.note]
            numbers = [_number(number) + marks[number.note] for number in row.numbers]
            lines.append(_line([_escape(metric) if i == 0 else "", level, *numbers]))
            lines += [_spreads(row)] if spread else []
    return lines


def _number(number: Number) -> str:
    """Return a number, in bold if it is the best."""
    if not number.n_folds:
        return "---"
    return rf"\textbf{{{fixed(number.value)}}}" if number.best else fixed(number.value)


def _spreads(row: Row) -> str:
    """Return the line of a row's spreads, which beside the numbers would make the table wider than a page."""
    spreads = ["" if isnan(n.spread) else rf"{{\scriptsize$\pm${fixed(n.spread)}}}" for n in row.numbers]
    return _line(["", "", *spreads])
