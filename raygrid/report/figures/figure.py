"""The type of all figures, and how they are drawn: equal numbers give equal bytes, and no colour is needed to read."""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

DPI = 120  # for screens; what is printed is the SVG
BASELINE = f"{printed('resampler', 'none')} is no resampling."

_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.7,
    "axes.titlesize": 9,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "hatch.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "svg.fonttype": "path",
    "text.parse_math": False,  # a class or a data set may have a $ in its name
}


@dataclass(frozen=True)
class Figure:
    """A picture as a vector and as pixels, and the sentences below it.

    The page shows a figure in its section, folded unless `is_folded` is False.
    """

    name: str
    title: str
    caption: str
    svg: bytes
    png: bytes
    section: SectionName = "figures"
    is_folded: bool = True
    is_secondary: bool = False


def render(
    name: str, *, title: str, caption: str, size: tuple[float, float], draw: Callable[["Canvas"], None]
) -> Figure:
    """Draw on a canvas of `size`, in inches, and keep the result as bytes; no state of pyplot's is touched."""
    import matplotlib
    from matplotlib.figure import Figure as Canvas

    name = re.sub(r"[^\w-]+", "_", name)  # it becomes a file's name, and part of ids on the page
    settings: Any = _SETTINGS | {"svg.hashsalt": name}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a class may have any name
        canvas = Canvas(figsize=size)
        draw(canvas)
        anonymous: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        svg = _saved(canvas, format="svg", transparent=True, metadata=anonymous)
        return Figure(name, title, caption, svg, _saved(canvas, format="png", dpi=DPI, metadata={"Software": None}))


def _saved(canvas: "Canvas", **how: Any) -> bytes:
    """Return the canvas as a file has it."""
    file = BytesIO()
    canvas.savefig(file, **how)
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
    tall = min(high - low, 2.2 / height)
    axes = canvas.add_axes((boxes[0].x1 + 0.16 / width, high - tall, 0.11 / width, tall))
    canvas.colorbar(ScalarMappable(**colours), cax=axes, label=label, drawedges=False)
    axes.spines[:].set_visible(False)


def heading(axes: "Axes", text: str) -> None:
    """Put a bold title above the left end of the axes, at a place that need not be searched for."""
    axes.set_title(text, loc="left", fontweight="bold", y=1.0)


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
