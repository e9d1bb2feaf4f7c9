"""The HTML page of a report: one file that needs no network and contains the data of every record."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files as files_of
from math import isnan
from typing import TYPE_CHECKING, Any

from raygrid.report.confounds import confounds
from raygrid.report.embedded import embedded
from raygrid.report.figures.figure import Figure
from raygrid.report.figures.style import INK, PAPER
from raygrid.report.inference.design import Design
from raygrid.report.kept_files import KeptFiles
from raygrid.report.overview import progress, progress_sheet, status_counts
from raygrid.report.pictures import Pictures
from raygrid.report.provenance import failures, provenance
from raygrid.report.ranking import Ranking
from raygrid.report.render import basis, fixed, footnotes, number_text, printed, row_name
from raygrid.report.results import Results
from raygrid.report.sections import TITLES, SectionName
from raygrid.report.sheets import Sheet
from raygrid.report.studied import data_sets, protocol, sizes_sheet
from raygrid.report.tables import Table

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

# One script after the other: each uses what those before it define.
_SCRIPTS = ("data", "sorting", "panel", "cells", "estimate", "chart", "methods", "pair", "start")
_ALWAYS = frozenset(
    {"overview", "pair", "tables", "failures", "cells", "provenance"}
)  # sections with parts of their own
_SHOWN_FAILURES = 3  # reasons that are not folded
_IDS = re.compile(r'(\bid="|url\(#|href="#)')


def page(
    results: Results,
    *,
    tables: Sequence[Table],
    content: Sequence[Sheet | Figure],
    findings: Sequence[str] = (),
    rankings: Sequence[Ranking] = (),
    designs: Mapping[str, Design] | None = None,
    files: KeptFiles | None = None,
    pictures: Pictures | None = None,
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
    findings : sequence of str
        What was found, in sentences.
    rankings : sequence of Ranking
        One a metric.
    designs : mapping, optional
        By data set, what its folds share.
    files : KeptFiles, optional
        What cells link to.
    pictures : Pictures, optional
        Of samples; none where the images are not at hand.
    refresh_s : int, optional
        Seconds after which the page loads itself anew, unless its reader is at a record, or has chosen a part.
    """
    from markupsafe import Markup

    files, pictures = files or KeptFiles(), pictures or Pictures({})
    script = _script()
    data = embedded(results, tables, rankings=rankings, designs=designs or {}, files=files, pictures=pictures)
    own = [sizes_sheet(results), progress_sheet(results)] if results.cells else []
    return _template().render(
        results=results,
        tables=tables,
        titles=TITLES,
        always=_ALWAYS,
        content=_by_section([*own, *content]),
        counts=status_counts(results),
        progress=progress(results),
        findings=findings,
        confounds=confounds(results),
        data_sets=list(data_sets(results)),
        protocol=protocol(results),
        pictures=pictures.classes,
        failures=list(failures(results)),
        shown_failures=_SHOWN_FAILURES,
        provenance=provenance(results),
        refresh_s=refresh_s,
        style=_asset("page.css"),
        script=script,
        script_hash=_hash_of(script),
        data=Markup(data),  # noqa: S704
    )


def begins_as_ours(page: str) -> bool:
    """Whether a page begins as this version's do, so that a browser runs none but their script, whoever wrote it."""
    template = str(_asset("page.html.jinja"))
    first, last = template.index("<!doctype"), template.index("form-action 'none'\">")
    return page.startswith(template[first:last].replace("{{ script_hash }}", _hash_of(_script())))


def _script() -> "Markup":
    from markupsafe import Markup

    return Markup("\n").join(_asset(f"{name}.js") for name in _SCRIPTS)


def _hash_of(script: str) -> str:
    return b64encode(sha256(script.encode()).digest()).decode()


def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("raygrid.report", "page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    words = (fixed, footnotes, basis, isnan, number_text, printed, row_name)
    environment.globals |= {word.__name__: word for word in words}
    return environment.get_template("page.html.jinja")


def _by_section(content: Sequence[Sheet | Figure]) -> dict[SectionName, list[tuple[Sheet | Figure, Any]]]:
    """Return what each section shows, and of a figure its SVG; a section without content is not there."""
    placed: dict[SectionName, list[tuple[Sheet | Figure, Any]]] = {}
    for one in content:
        placed.setdefault(one.section, []).append((one, inline(one) if isinstance(one, Figure) else None))
    return placed


def inline(figure: Figure) -> "Markup":
    """Return the figure's SVG as part of a page: no id twice in it, its ink and paper those of the page."""
    from markupsafe import Markup

    text = figure.svg.decode()
    text = _IDS.sub(lambda match: f"{match[1]}{figure.name}-", text[text.index("<svg") :])
    return Markup(text.replace(INK, "currentColor").replace(PAPER, "var(--paper)"))  # noqa: S704


def _asset(name: str) -> "Markup":
    """Return a file of this package's, to be put into the page as it is."""
    from markupsafe import Markup

    return Markup(files_of("raygrid.report").joinpath("page", name).read_text(encoding="utf-8"))  # noqa: S704
