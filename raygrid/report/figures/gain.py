"""Heat maps of the gain over no resampling: a panel for each metric and arm, rows are data sets, columns resamplers."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from raygrid.axes import ARM_AXES, BLOCK_AXES
from raygrid.report.figures.figure import Figure, arms_of, basis, colour_bar, heading, of_arm, panels, render
from raygrid.report.figures.style import INK
from raygrid.report.render import DASH, printed
from raygrid.report.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

BASELINE = "none"
_CELL = (0.78, 0.36)  # in inches
_MARGINS = (0.9, 1.0, 0.3, 0.3)
_GAP = 0.62
_LETTER = 0.088  # of a heading


def gain_over_none(results: Results) -> Figure | None:
    """Draw the mean over folds of the gain, of pairs of cells of one data set, IR and fold; None without a baseline."""
    gains = paired_gains(results.frame)
    if gains.empty:
        return None
    arms, metrics, n_datasets = arms_of(gains), list(results.metrics), gains["dataset"].nunique()
    means = gains.groupby(["metric", *ARM_AXES, "dataset", "resampler"], sort=False)["gain"].mean()
    reach = float(means.abs().max()) or 1.0
    n_columns = [of_arm(gains, arm)["resampler"].nunique() for arm in arms]
    longest = max(len(_heading(metric, arm)) for metric in metrics for arm in arms)
    gap = max(1.6 * _GAP, _LETTER * longest - _CELL[0] * min(n_columns))  # a heading may be wider than its panel
    width = sum(_MARGINS[:2]) + _CELL[0] * sum(n_columns) + gap * (len(arms) - 1)
    height = sum(_MARGINS[2:]) + (_CELL[1] * n_datasets + _GAP) * len(metrics) - _GAP

    def draw(canvas: "Canvas") -> None:
        colours = _diverging(reach)
        spaces: dict[str, Any] = {
            "width_ratios": n_columns,
            "wspace": gap / (_CELL[0] * float(np.mean(n_columns))),
            "hspace": _GAP / (_CELL[1] * n_datasets),
        }
        grid = panels(canvas, len(metrics), len(arms), _MARGINS, gridspec_kw=spaces)
        for axes, (metric, arm) in zip(grid.flat, ((metric, arm) for metric in metrics for arm in arms), strict=True):
            part = of_arm(gains[gains["metric"] == metric], arm)
            heading(axes, _heading(metric, arm))
            _heat(
                axes,
                part.pivot_table(index="dataset", columns="resampler", values="gain", sort=False, dropna=False),
                colours,
            )
        colour_bar(canvas, grid[:, -1], colours, f"Gain over {printed('resampler', BASELINE)}")

    caption = (
        "What each resampler gains over no resampling: the mean over IR and folds of the difference between two cells "
        "of the same data set, IR and fold. Purple (plus) is better, orange (minus) is worse, white is no change. "
        f"Pairs of which one lacks the metric are left out; {DASH} where no pair is left. {basis(results.places)}"
    )
    return render("gain", title="Gain over no resampling", caption=caption, size=(width, height), draw=draw)


def _heading(metric: str, arm: tuple[str, str]) -> str:
    return f"{metric}: {' · '.join(arm)}"


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


def _heat(axes: "Axes", means: pd.DataFrame, colours: dict[str, Any]) -> None:
    """Draw one panel and write its numbers."""
    values = means.to_numpy(dtype=float)
    image = axes.imshow(values, aspect="auto", interpolation="none", **colours)
    for (row, column), value in np.ndenumerate(values):
        text = DASH if np.isnan(value) else f"{value:+.4f}".replace("-", "\N{MINUS SIGN}")
        colour = INK if np.isnan(value) else _legible_on(image.to_rgba(value))
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(values.shape[1]), [printed("resampler", name) for name in means.columns])
    axes.set_yticks(range(values.shape[0]), list(means.index))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _legible_on(colour: Any) -> str:
    """Return black or white, whichever stands out more."""
    red, green, blue, _ = colour
    return "black" if 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.2 else "white"
