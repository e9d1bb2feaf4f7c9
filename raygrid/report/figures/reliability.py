"""Reliability diagrams: how often a classifier is right, by how sure it is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from raygrid.axes import IMBALANCE, level_phrase
from raygrid.metrics.calibration import N_BINS
from raygrid.report.figures.figure import BASELINE, Figure
from raygrid.report.figures.lines import End, line_panels
from raygrid.report.figures.style import INK, Style
from raygrid.report.render import printed
from raygrid.wording import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEWEST = 10  # samples in a bin, or its accuracy would be noise


def reliability(calibrations: pd.DataFrame, level: float | str | None = None) -> Figure | None:
    """Draw accuracy against confidence at one level, by default the most imbalanced; None without probabilities.

    Parameters
    ----------
    calibrations : DataFrame
        As `raygrid.report.calibration.calibrations_of` makes it.
    """
    known = calibrations[calibrations["ece"].notna()]
    if known.empty:
        return None
    level = known[IMBALANCE].max() if level is None else level
    lines = known[known[IMBALANCE] == level]
    at = level_phrase(IMBALANCE, level)
    figure = line_panels(
        lines,
        _draw,
        name="reliability",
        title=f"Reliability at {at}",
        caption=f"Accuracy against confidence at {at}: test samples of all folds in {N_BINS} bins by the probability "
        f"of the class that is predicted; bins of fewer than {_FEWEST} samples are left out. Below the diagonal a "
        f"classifier is too sure, above it not sure enough. {BASELINE} Drawn from {plural(len(lines), 'cell')} that "
        "kept probabilities.",
        x_label="Confidence",
        y_label="Accuracy",
    )
    return replace(figure, section="classes")


def _draw(axes: "Axes", part: pd.DataFrame, looks: dict[str, Style]) -> Sequence[End]:
    """Draw one panel; return where its lines end."""
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.6, alpha=0.5)
    ends = []
    for resampler, lines in part.groupby("resampler", sort=False):
        counts, confidences, hits = (
            np.sum([getattr(one, name) for one in lines["value"]], axis=0) for name in ("counts", "confidences", "hits")
        )
        drawn = counts >= _FEWEST
        if drawn.any():
            look = looks[str(resampler)]
            x, y = confidences[drawn] / counts[drawn], hits[drawn] / counts[drawn]
            axes.plot(x, y, color=look.colour, linestyle=look.dash, marker=look.marker)
            ends.append(End(printed("resampler", str(resampler)), x[-1], y[-1], look))
    axes.set_xlim(0, 1.02)
    return ends
