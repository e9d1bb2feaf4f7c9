"""The type of all figures, and how they are drawn: at print width, with equal bytes for equal numbers."""

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd

from raygrid.axes import ARM_AXES
from raygrid.report.figures.style import INK
from raygrid.report.render import printed
from raygrid.report.sections import SectionName
from raygrid.wording import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

# The widths of a journal's column and of its page, in inches. A figure has one of them, so that its text is printed in
# the size that it has here.
SINGLE, DOUBLE = 85 / 25.4, 174 / 25.4
FONT_PT = 7.0
LETTER = 0.68 * FONT_PT / 72  # the width of a wide letter, in inches
DPI = 300
_LONGEST = 16  # letters of a class name

BASELINE = f"{printed('resampler', 'none')} is no resampling."

_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    **dict.fromkeys(
        (
            *("font.size", "axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize"),
            *("legend.fontsize", "figure.titlesize"),
        ),
        FONT_PT,
    ),
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.6,
    "axes.titlecolor": INK,
    "axes.titlepad": 4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "hatch.linewidth": 0.6,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.6,
    "svg.fonttype": "path",
    "pdf.fonttype": 42,  # TrueType, embedded: journals refuse Type 3
    "text.parse_math": False,  # a class or a data set may have a $ in its name
}


@dataclass(frozen=True)
class Figure:
    """A picture and the sentences below it.

    The page shows a figure in its section, folded unless `is_folded` is False.

    Attributes
    ----------
    name : str
        That of its files, without suffix.
    title, caption : str
    svg : bytes
    canvas : matplotlib.figure.Figure
        From which `pdf` and `png` are made when they are asked for, because a page does without them.
    """

    name: str
    title: str
    caption: str
    svg: bytes
    canvas: "Canvas" = field(compare=False, repr=False)
    section: SectionName = "figures"
    is_folded: bool = True
    is_secondary: bool = False

    def pdf(self) -> bytes:
        """Return the figure as LaTeX includes it, with its fonts."""
        return _saved(self.canvas, "pdf", self.name)

    def png(self) -> bytes:
        """Return the figure's pixels, `DPI` of them an inch, on white."""
        return _saved(self.canvas, "png", self.name)


def render(
    name: str, *, title: str, caption: str, size: tuple[float, float], draw: Callable[["Canvas"], None]
) -> Figure:
    """Draw on a canvas and keep the result as bytes; no state of pyplot's is touched.

    Parameters
    ----------
    name, title, caption : str
        Of the figure; what no file may be called is replaced in its name.
    size : pair of floats
        Width, which is `SINGLE` or `DOUBLE`, and height, in inches.
    draw : callable
        Draws on the canvas that it is given.
    """
    from matplotlib.figure import Figure as Canvas

    name = re.sub(r"[^\w-]+", "_", name)  # it becomes a file's name, and part of ids on the page
    with _settings(name):
        canvas = Canvas(figsize=size)
        draw(canvas)
    return Figure(name, title, caption, _saved(canvas, "svg", name), canvas)


@contextmanager
def _settings(name: str) -> Iterator[None]:
    """Let matplotlib draw as all figures are drawn."""
    import matplotlib

    settings: Any = _SETTINGS | {"svg.hashsalt": name}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a class may have any name
        yield


# What a file would say of when and by what it was made, by format.
_ANONYMOUS: dict[str, dict[str, Any]] = {
    "svg": dict.fromkeys(("Creator", "Date", "Format", "Type")),
    "pdf": dict.fromkeys(("Creator", "Producer", "CreationDate")),
    "png": {"Software": None},
}


def _saved(canvas: "Canvas", kind: str, name: str) -> bytes:
    """Return the canvas as a file has it."""
    file = BytesIO()
    with _settings(name):
        canvas.savefig(file, format=kind, dpi=DPI, transparent=kind != "png", metadata=_ANONYMOUS[kind])
    return file.getvalue()


def panels(canvas: "Canvas", rows: int, columns: int, inches: tuple[float, float, float, float], **how: Any) -> Any:
    """Return an array of axes, shape (rows, columns), inside margins in inches: left, right, bottom, top."""
    width, height = canvas.get_size_inches()
    left, right, bottom, top = inches
    edges = {"left": left / width, "right": 1 - right / width, "bottom": bottom / height, "top": 1 - top / height}
    return canvas.subplots(rows, columns, squeeze=False, gridspec_kw=edges | how.pop("gridspec_kw", {}), **how)


def colour_bar(canvas: "Canvas", beside: Sequence["Axes"], colours: dict[str, Any], label: str) -> None:
    """Draw the scale of a heat map, its norm and cmap, right of some axes."""
    from matplotlib.cm import ScalarMappable

    boxes, (width, height) = [axes.get_position() for axes in beside], canvas.get_size_inches()
    low, high = min(box.y0 for box in boxes), max(box.y1 for box in boxes)
    tall = min(high - low, 1.8 / height)
    axes = canvas.add_axes((boxes[0].x1 + 0.12 / width, high - tall, 0.09 / width, tall))
    canvas.colorbar(ScalarMappable(**colours), cax=axes, label=label, drawedges=False)
    axes.spines[:].set_visible(False)


def heading(axes: "Axes", text: str) -> None:
    """Put a bold title above the left end of the axes, at a place that need not be searched for."""
    axes.set_title(text, loc="left", fontweight="bold", y=1.0)


def short(name: str) -> str:
    """Return the name of a class, cut where it is too long to stand beside a panel."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def basis(places: pd.DataFrame) -> str:
    """Say, for a caption, how many of the cells are drawn and what became of the others.

    Parameters
    ----------
    places : DataFrame
        One line per cell, with its status, or what it is by the metric that is drawn.
    """
    lacking = places["status"][places["status"] != "done"].value_counts(sort=True)
    if lacking.empty:
        return f"Drawn from all {plural(len(places), 'cell')}."
    n_done = len(places) - int(lacking.sum())
    what = ", ".join(f"{count} {status}" for status, count in lacking.items())
    return f"Drawn from the {n_done} of {plural(len(places), 'cell')} that have a result; the others: {what}."


def arms_of(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the arms, pairs of representation and classifier, in order of appearance."""
    return list(frame[list(ARM_AXES)].drop_duplicates().itertuples(index=False, name=None))


def of_arm(frame: pd.DataFrame, arm: tuple[str, str]) -> pd.DataFrame:
    """Return the lines of one arm."""
    return frame[(frame["representation"] == arm[0]) & (frame["classifier"] == arm[1])]
