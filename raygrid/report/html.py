"""The HTML page of a report: one file that needs no network and contains the data of every record."""

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from math import isnan
from typing import Any

from raygrid.report import overview
from raygrid.report.embedded import embedded
from raygrid.report.figures.figure import Figure
from raygrid.report.figures.style import INK, PAPER
from raygrid.report.provenance import failures, provenance
from raygrid.report.render import basis, fixed, footnotes, number_text, printed, row_heading, row_name
from raygrid.report.results import Results
from raygrid.report.sections import TITLES, SectionName
from raygrid.report.sheets import Sheet
from raygrid.report.studied import sizes_sheet
from raygrid.report.tables import Table

_IDS = re.compile(r'(\bid="|url\(#|href="#)')


def page(
    results: Results,
    *,
    tables: Sequence[Table],
    content: Sequence[Sheet | Figure],
    refresh_s: int | None = None,
) -> str:
    """Return the whole page.

    Parameters
    ----------
    results : Results
        Finished or not: the page says what is missing.
    tables : sequence of Table
        Each number leads to its folds, each fold to its record.
    content : sequence of Sheet or Figure
        Each is shown in its section, in the order given.
    refresh_s : int, optional
        Seconds after which the page loads itself anew, unless its reader is at a record.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("raygrid.report", "page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= {"isnan": isnan, "number_text": number_text, "fixed": fixed, "printed": printed}
    environment.globals |= {"row_heading": row_heading, "row_name": row_name}
    environment.globals |= {"footnotes": footnotes, "basis": basis}
    script = _asset("page.js")
    return environment.get_template("page.html.jinja").render(
        results=results,
        tables=tables,
        titles=TITLES,
        content=_by_section(content),
        overview=overview,
        sizes_sheet=sizes_sheet(results),
        failures=list(failures(results)),
        provenance=provenance(results),
        refresh_s=refresh_s,
        style=_asset("page.css"),
        script=script,
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        data=_plain(embedded(results, tables)),
    )


def _by_section(content: Sequence[Sheet | Figure]) -> dict[SectionName, list[tuple[Sheet | Figure, Any]]]:
    """Return what each section shows, and of a figure its SVG; a section without content is not there."""
    placed: dict[SectionName, list[tuple[Sheet | Figure, Any]]] = {}
    for one in content:
        placed.setdefault(one.section, []).append((one, inline(one) if isinstance(one, Figure) else None))
    return placed


def inline(figure: Figure) -> Any:
    """Return the figure's SVG as part of a page: no id twice in it, its ink and paper those of the page."""
    text = figure.svg.decode()
    text = _IDS.sub(lambda match: f"{match[1]}{figure.name}-", text[text.index("<svg") :])
    return _plain(text.replace(INK, "currentColor").replace(PAPER, "var(--paper)"))


def _asset(name: str) -> Any:
    """Return a file of this package's, to be put into the page as it is."""
    return _plain(files("raygrid.report").joinpath("page", name).read_text(encoding="utf-8"))


def _plain(text: str) -> Any:
    """Return text that the template must not escape, because it is raygrid's, or escaped already."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704
