"""Critical-difference diagrams: average ranks on an axis; bars join ranks that do not differ significantly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import pandas as pd

from raygrid.report.figures.figure import Figure, render
from raygrid.report.figures.style import INK
from raygrid.report.inference.mean_ranks import MeanRanks
from raygrid.report.statistics_sheets import arm_name, column_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_WIDTH, _ABOVE, _LINE = 7.2, 0.95, 0.24  # in inches: a diagram's axis with its title, and each of its lines
_LETTER = 0.07


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
    """Draw one diagram below the other, the best ranks at the left; those with a p-value of at least alpha are joined.

    References
    ----------
    J. Demšar: Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7, 2006.
    """
    heights = [_ABOVE + _LINE * (len(diagram.ranks) / 2 + 1) for diagram in diagrams]
    side = 0.75 + _LETTER * max(len(label) for diagram in diagrams for label in diagram.ranks)

    def draw(canvas: "Canvas") -> None:
        bottom = sum(heights)
        for diagram, height in zip(diagrams, heights, strict=True):
            bottom -= height
            box = (
                side / _WIDTH,
                (bottom + 0.15) / sum(heights),
                1 - 2 * side / _WIDTH,
                (height - _ABOVE) / sum(heights),
            )
            _draw(canvas.add_axes(box), diagram, alpha)

    return render(name, title=title, caption=caption, size=(_WIDTH, sum(heights)), draw=draw)


def _draw(axes: "Axes", diagram: Ranks, alpha: float) -> None:
    """Draw one diagram."""
    from scikit_posthocs import critical_difference_diagram

    ranks = dict(sorted(diagram.ranks.items(), key=lambda item: item[1]))
    best, *_, worst = ranks.values()
    critical_difference_diagram(
        ranks,
        diagram.p_values.loc[list(ranks), list(ranks)],
        alpha=alpha,
        ax=axes,
        label_fmt_left="{label} ({rank:.2f})",
        label_fmt_right="({rank:.2f}) {label}",
        text_h_margin=0.04 * max(1.0, worst - best),
        color_palette=dict.fromkeys(ranks, INK),
        elbow_props={"linewidth": 0.8},
        marker_props={"s": 14},
        crossbar_props={"color": INK, "linewidth": 3},
    )
    axes.spines["top"].set_visible(True)
    axes.set_xticks([rank for rank in range(1, len(ranks) + 1) if best - 0.5 <= rank <= worst + 0.5])
    heading_at: dict[str, Any] = {"xycoords": "figure fraction", "textcoords": "offset points"}
    axes.annotate(diagram.title, (0, axes.get_position().y1), (8, 46), fontweight="bold", **heading_at)
    if not isnan(diagram.critical_difference):
        _scale(axes, diagram.critical_difference, at=best)


def _scale(axes: "Axes", difference: float, at: float) -> None:
    """Draw the critical difference above the ranks, as long as it is on their line."""
    from matplotlib.transforms import ScaledTranslation

    above = axes.get_xaxis_transform() + ScaledTranslation(0, 0.34, axes.figure.dpi_scale_trans)
    end, text = at + difference, f"CD = {difference:.2f}"
    if axes.transData.transform((end, 0))[0] > axes.figure.bbox.width:
        end, text = axes.get_xlim()[1], f"{text}, longer than this line"
    else:
        axes.plot([at, end], [1, 1], color=INK, marker="|", transform=above, clip_on=False)
    axes.annotate(
        text,
        ((at + end) / 2, 1),
        (0, 4),
        xycoords=above,
        textcoords="offset points",
        ha="center",
    )
