"""Heat maps of the gain over no resampling: a panel for each arm and metric, rows are resamplers, columns data sets."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from raygrid.axes import ARM_AXES, BLOCK_AXES
from raygrid.report.figures.figure import (
    DOUBLE,
    LETTER,
    SINGLE,
    Figure,
    arms_of,
    basis,
    colour_bar,
    heading,
    of_arm,
    panels,
    render,
)
from raygrid.report.figures.fitting import extra_height, room_for, width_of, wrapped
from raygrid.report.figures.style import INK, legible_on
from raygrid.report.render import DASH, printed
from raygrid.report.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

BASELINE = "none"
_NUMBER, _LINE = 7 * LETTER, 0.19  # the size of a cell, in inches
_LONGEST_NAME = DOUBLE / 3  # of a resampler, in inches
_GAP, _TITLE, _NAMES, _SCALE = 0.14, 0.22, 0.2, 0.75  # between panels, above and below one, and right of all


def gain_over_none(results: Results) -> Figure | None:
    """Draw the mean over folds of the gain, of pairs of cells of one data set, IR and fold; None without a baseline."""
    gains = paired_gains(results.frame)
    if gains.empty:
        return None
    arms, metrics = arms_of(gains), list(results.metrics)
    means = gains.groupby(["metric", *ARM_AXES, "dataset", "resampler"], sort=False)["gain"].mean()
    reach = float(means.abs().max()) or 1.0
    shown = [printed("resampler", name) for name in gains["resampler"].unique()]
    names, longest, higher = room_for(shown, _LONGEST_NAME)
    left = 0.08 + LETTER + longest
    panel = max(
        gains["dataset"].nunique() * max(_NUMBER, LETTER * (1 + max(map(len, gains["dataset"].unique())))),
        1.1 * LETTER * max(len(_heading(metric, arm)) for metric in metrics for arm in arms),
    )
    panel = min(panel, DOUBLE - left - _SCALE)
    n_columns = min(len(metrics), max(1, int((DOUBLE - left - _SCALE + _GAP) / (panel + _GAP))))
    titles = {(metric, arm): wrapped(_heading(metric, arm), panel) for metric in metrics for arm in arms}
    top = _TITLE + extra_height(titles.values())
    rows = [(arm, metrics[i : i + n_columns]) for arm in arms for i in range(0, len(metrics), n_columns)]
    n_lines = [of_arm(gains, arm)["resampler"].nunique() for arm, _ in rows]
    needed = left + n_columns * (panel + _GAP) - _GAP + _SCALE
    width = SINGLE if needed <= SINGLE else DOUBLE
    between = top + _NAMES
    scale = f"Gain over {printed('resampler', BASELINE)}"
    upright = width_of(scale) + 0.04 - 2 * _NAMES  # what the name of the scale needs beside the first panel
    line = max(_LINE + higher, upright / n_lines[0])
    height = line * sum(n_lines) + between * len(rows)

    def draw(canvas: "Canvas") -> None:
        spaces: dict[str, Any] = {
            "height_ratios": n_lines,
            "wspace": _GAP / panel,
            "hspace": between / (line * float(np.mean(n_lines))),
        }
        right = max(_SCALE, width - needed + _SCALE)
        grid = panels(canvas, len(rows), n_columns, (left, right, _NAMES, top), gridspec_kw=spaces)
        for (arm, those), beside in zip(rows, grid, strict=True):
            for axes, metric in zip(beside, those, strict=False):
                heading(axes, titles[metric, arm])
                part = of_arm(gains[gains["metric"] == metric], arm)
                _heat(axes, _table(part), _diverging(reach), names if axes is beside[0] else {})
            for axes in beside[len(those) :]:
                axes.remove()
        colour_bar(canvas, grid[:, n_columns - 1][:1], _diverging(reach), scale)

    caption = (
        "What each resampler gains over no resampling: the mean over IR and folds of the difference between two cells "
        "of the same data set, IR and fold. Purple (plus) is better, orange (minus) is worse, white is no change. "
        f"Pairs of which one lacks the metric are left out; {DASH} where no pair is left. {basis(results.places)}"
    )
    return render("gain", title="Gain over no resampling", caption=caption, size=(width, height), draw=draw)


def _heading(metric: str, arm: tuple[str, str]) -> str:
    return f"{metric}: {' · '.join(arm)}"


def _table(part: pd.DataFrame) -> pd.DataFrame:
    """Return the mean gains of a panel, a line a resampler, a column a data set."""
    return part.pivot_table(index="resampler", columns="dataset", values="gain", sort=False, dropna=False)


def paired_gains(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of the resamplers with the column `gain`: their value less that of the same cell without one."""
    pair = ["metric", *BLOCK_AXES, *ARM_AXES]
    base = frame.loc[frame["resampler"] == BASELINE, [*pair, "value"]].rename(columns={"value": "base"})
    gains = frame[frame["resampler"] != BASELINE].merge(base, on=pair, how="inner")
    return gains.assign(gain=gains["value"] - gains["base"])


def _diverging(reach: float) -> dict[str, Any]:
    """Return how gains become colours, with 0 in the middle."""
    from matplotlib.colors import Normalize

    return {"norm": Normalize(-reach, reach), "cmap": "PuOr"}


def _heat(axes: "Axes", means: pd.DataFrame, colours: dict[str, Any], names: Mapping[str, str]) -> None:
    """Draw one panel and write its numbers, whose signs are what a reader without colours goes by.

    The rows are named where there are names: in the lines in which each resampler is written.
    """
    values = means.to_numpy(dtype=float)
    image = axes.imshow(values, aspect="auto", interpolation="none", **colours)
    for (row, column), value in np.ndenumerate(values):
        text = DASH if np.isnan(value) else f"{value:+.4f}".replace("-", "\N{MINUS SIGN}")
        colour = INK if np.isnan(value) else legible_on(image.to_rgba(value))
        axes.text(column, row, text, ha="center", va="center", color=colour)
    axes.set_xticks(range(values.shape[1]), list(means.columns))
    rows = [names[printed("resampler", name)] for name in means.index] if names else []
    axes.set_yticks(range(values.shape[0]), rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
