"""Critical-difference diagrams: a line for each average rank; bars join ranks that do not differ significantly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import pandas as pd

from raygrid.report.figures.figure import DOUBLE, LETTER, SINGLE, Figure, render
from raygrid.report.figures.fitting import extra_height, room_for, wrapped
from raygrid.report.figures.style import INK
from raygrid.report.inference.mean_ranks import MeanRanks
from raygrid.report.statistics_sheets import arm_name, column_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_ABOVE, _LINE, _BELOW = 0.5, 0.17, 0.42  # in inches: the title and the scale, each line, the axis
_LONGEST_NAME = DOUBLE / 2  # of a method, in inches
_NUMBER, _BAR = 0.4, 0.1  # right of the axis: a rank, and each bar


@dataclass(frozen=True)
class Ranks:
    """What one diagram shows.

    Attributes
    ----------
    title : str
    ranks : mapping
        Average rank by label; 1 is best.
    p_values : DataFrame
        Of the comparison of each two labels, which are its index and its columns.
    critical_difference : float
        Of the average ranks; NaN where there is none to draw.
    """

    title: str
    ranks: Mapping[str, float]
    p_values: pd.DataFrame
    critical_difference: float = nan


def ranks_of(found: MeanRanks) -> Ranks:
    """Return the diagram of average ranks over data sets."""
    labels = [column_name(column) for column in found.columns]
    p_values = pd.DataFrame(found.p_values, index=labels, columns=labels)
    ranks = dict(zip(labels, found.ranks, strict=True))
    return Ranks(f"{found.metric}: {arm_name(found)}", ranks, p_values, found.friedman.critical_difference)


def critical_difference(
    diagrams: Sequence[Ranks], *, name: str, title: str, caption: str, alpha: float = 0.05
) -> Figure:
    """Draw one diagram below the other, the best rank on top; those with a p-value of at least alpha are joined.

    Every label has a line of its own, so that none runs into another, however near their ranks are.

    References
    ----------
    J. Demšar: Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7, 2006.
    """
    names, longest, higher = room_for([label for diagram in diagrams for label in diagram.ranks], _LONGEST_NAME)
    left, line = 0.1 + LETTER + longest, _LINE + higher
    right = _NUMBER + _BAR * (1 + max(len(joined(diagram, alpha)) for diagram in diagrams))
    width = SINGLE if left + right <= SINGLE / 2 else DOUBLE
    titles = [wrapped(diagram.title, width - left) for diagram in diagrams]
    above = _ABOVE + extra_height(titles)
    heights = [above + line * len(diagram.ranks) + _BELOW for diagram in diagrams]

    def draw(canvas: "Canvas") -> None:
        top = sum(heights)
        for diagram, title, height in zip(diagrams, titles, heights, strict=True):
            across = left / width, 1 - (left + right) / width
            bottom, tall = ((top - height + _BELOW) / sum(heights), (height - above - _BELOW) / sum(heights))
            _draw(canvas.add_axes((across[0], bottom, across[1], tall)), replace(diagram, title=title), alpha, names)
            top -= height

    return render(name, title=title, caption=caption, size=(width, sum(heights)), draw=draw)


def joined(diagram: Ranks, alpha: float) -> list[tuple[int, int]]:
    """Return the largest runs of ranks of which no two differ: their first and last position, from the best rank on."""
    labels = _in_order(diagram)
    is_equal = diagram.p_values.loc[labels, labels].to_numpy() >= alpha
    runs: list[tuple[int, int]] = []
    for first in range(len(labels)):
        last = first
        while last + 1 < len(labels) and is_equal[first : last + 1, last + 1].all():
            last += 1
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs


def _in_order(diagram: Ranks) -> list[str]:
    return sorted(diagram.ranks, key=lambda label: diagram.ranks[label])


def _draw(axes: "Axes", diagram: Ranks, alpha: float, names: Mapping[str, str] | None = None) -> None:
    """Draw one diagram."""
    labels = _in_order(diagram)
    ranks, lines = [diagram.ranks[label] for label in labels], range(len(labels))
    axes.hlines(lines, 1, ranks, color=INK, linewidth=0.5, linestyle=":")
    axes.plot(ranks, lines, "o", color=INK, clip_on=False)
    axes.set(xlim=(1, len(labels)), ylim=(len(labels) - 0.5, -0.5), xlabel="Average rank (1 is best)")
    axes.set_xticks(range(1, len(labels) + 1, 1 + len(labels) // 12))
    axes.set_yticks(lines, [(names or {}).get(label, label) for label in labels])
    axes.tick_params(axis="y", length=0)
    axes.set_title(diagram.title, loc="left", fontweight="bold", y=1.0, pad=20)
    for line, rank in zip(lines, ranks, strict=True):
        axes.text(1, line, f"{rank:.2f}", va="center", transform=_right_of(axes, 0.06))
    for i, (first, last) in enumerate(joined(diagram, alpha)):
        bar: dict[str, Any] = {"transform": _right_of(axes, _NUMBER + _BAR * (i + 0.5)), "clip_on": False}
        axes.plot([1, 1], [first - 0.25, last + 0.25], color=INK, linewidth=2.5, solid_capstyle="butt", **bar)
    if not isnan(diagram.critical_difference):
        _scale(axes, diagram.critical_difference)


def _right_of(axes: "Axes", inches: float) -> Any:
    """Return a transform whose x counts widths of the axes, moved to the right, and whose y is that of the data."""
    from matplotlib.transforms import ScaledTranslation

    return axes.get_yaxis_transform() + ScaledTranslation(inches, 0, axes.figure.dpi_scale_trans)


def _scale(axes: "Axes", difference: float) -> None:
    """Draw the critical difference above the ranks, from the best rank possible on, as long as it is on their line."""
    from matplotlib.transforms import ScaledTranslation

    above = axes.get_xaxis_transform() + ScaledTranslation(0, 0.07, axes.figure.dpi_scale_trans)
    text, longest = f"CD = {difference:.2f}", axes.get_xlim()[1]
    if 1 + difference > longest:
        text += ", longer than this axis"
    else:
        axes.plot([1, 1 + difference], [1, 1], color=INK, marker="|", transform=above, clip_on=False)
    axes.annotate(text, (1, 1), (0, 4), xycoords=above, textcoords="offset points", ha="left")
