"""The mean seconds of a trial in each of its stages."""

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING

import pandas as pd

from raygrid.report.figures.figure import DOUBLE, LETTER, Figure, arms_of, basis, heading, of_arm, panels, render
from raygrid.report.figures.fitting import extra_height, room_for, wrapped
from raygrid.report.figures.style import COLOURS, HATCHES, INK, PAPER
from raygrid.report.render import printed
from raygrid.report.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_BAR, _GAP = 0.18, 0.45  # of a bar, and between panels, in inches
_RIGHT, _BOTTOM, _TOP = 0.6, 0.4, 0.5
_LONGEST_NAME = DOUBLE / 3  # of a resampler, in inches


def seconds_by_stage(results: Results) -> Figure:
    """Draw a stacked bar a resampler, a panel an arm, over every trial that is done."""
    frame, stages = _frame(results)
    arms = arms_of(results.places)
    n_bars = [of_arm(results.places, arm)["resampler"].nunique() for arm in arms]
    shown = [printed("resampler", str(name)) for name in results.places["resampler"].unique()]
    names, longest, higher = room_for(shown, _LONGEST_NAME)
    left, bar = 0.1 + LETTER + longest, _BAR + higher
    titles = [wrapped(" · ".join(arm), DOUBLE - left - _RIGHT) for arm in arms]
    gap, top = _GAP + extra_height(titles), _TOP + extra_height(titles)
    height = top + _BOTTOM + bar * sum(n_bars) + gap * (len(arms) - 1)

    def draw(canvas: "Canvas") -> None:
        spaces = {"height_ratios": n_bars, "hspace": gap / (bar * sum(n_bars) / len(arms))}
        grid = panels(canvas, len(arms), 1, (left, _RIGHT, _BOTTOM, top), gridspec_kw=spaces)
        for axes, arm, title in zip(grid[:, 0], arms, titles, strict=True):
            heading(axes, title)
            _bars(axes, of_arm(frame, arm).groupby("resampler", sort=False)[stages].mean(), names)
        grid[-1, 0].set_xlabel("Seconds a trial")
        handles, labels = grid[0, 0].get_legend_handles_labels()
        canvas.legend(handles, labels, loc="upper right", ncols=len(stages), frameon=False, handlelength=1.8)

    caption = (
        "Mean wall-clock seconds of a trial by stage, over data sets, IR and folds; the number is their sum. Each "
        f"panel has a scale of its own. The first network of a process includes the time to load Keras and trace it; "
        f"reading inputs and writing the record are not counted. {basis(results.places)}"
    )
    return render("seconds", title="Where the seconds went", caption=caption, size=(DOUBLE, height), draw=draw)


def _frame(results: Results) -> tuple[pd.DataFrame, list[str]]:
    """Return one line per cell with a column a stage (NaN unless done), and the stages in the order of the pipeline."""
    done = results.places["status"] == "done"
    lines = [
        results.records[key].measured.seconds if is_done else {}
        for key, is_done in zip(results.places["key"], done, strict=True)
    ]
    stages = list(dict.fromkeys(stage for line in lines for stage in line))
    seconds = pd.DataFrame(lines, columns=stages, index=results.places.index)
    seconds[done] = seconds[done].fillna(0)  # some stages are of a few trials only
    return results.places.join(seconds), stages


def _bars(axes: "Axes", means: pd.DataFrame, names: Mapping[str, str]) -> None:
    """Draw one panel, the first resampler on top, each written in the lines that its name has."""
    places, start = range(len(means)), pd.Series(0.0, index=means.index)
    for stage, colour, hatch in zip(means.columns, cycle((*COLOURS[1:], INK)), cycle(HATCHES), strict=False):
        width = means[stage].fillna(0)
        axes.barh(
            places,
            width,
            left=start,
            height=0.72,
            color=colour,
            hatch=hatch,
            edgecolor=PAPER,
            linewidth=0.4,
            label=stage,
        )
        start = start + width
    for place, total in zip(places, start, strict=True):
        text = _short(total) if total else "nothing done yet"
        axes.annotate(text, (total, place), (4, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, None if start.any() else 1)
    axes.set_yticks(places, [names[printed("resampler", str(name))] for name in means.index])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)


def _short(seconds: float) -> str:
    """Return seconds with as many decimals as say something."""
    return f"{seconds:.0f} s" if seconds >= 100 else f"{seconds:.3g} s"
