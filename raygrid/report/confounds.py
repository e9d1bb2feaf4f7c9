"""What differs between methods or levels besides what they are named for, in sentences."""

from collections.abc import Iterator

import pandas as pd

from raygrid.axes import IMBALANCE, level_phrase
from raygrid.report.render import printed
from raygrid.report.results import Results
from raygrid.wording import listed, plural

MUCH = 1.1  # sizes that differ by less are as good as equal


def confounds(results: Results) -> tuple[str, ...]:
    """Return what a reader must keep in mind: unequal training sizes, unequal steps, and cells that are left out."""
    done = results.places[results.places["status"] == "done"]
    sizes = done.assign(
        train=[_size(results, key, "train") for key in done["key"]],
        resampled=[_size(results, key, "resampled") for key in done["key"]],
    )
    return tuple([*_by_level(sizes), *_by_resampler(results, sizes), *_left_out(results)])


def _size(results: Results, key: str, part: str) -> int:
    return sum(results.records[key].class_counts.get(part, ()))


def _by_level(sizes: pd.DataFrame) -> Iterator[str]:
    means = dict(sizes.groupby(IMBALANCE, observed=True)["train"].mean())
    ends = sorted(means, key=lambda level: float(means[level]))
    if ends and means[ends[-1]] > MUCH * means[ends[0]]:
        few, many = (f"{means[level]:,.0f} at {level_phrase(IMBALANCE, level)}" for level in (ends[0], ends[-1]))
        yield f"Levels of imbalance also differ in how many images are trained on (on average {many}, {few})."


def _by_resampler(results: Results, sizes: pd.DataFrame) -> Iterator[str]:
    means = dict(sizes.groupby("resampler", sort=False)["resampled"].mean())
    ordered = sorted(means, key=lambda name: float(means[name]))
    if not ordered or means[ordered[-1]] <= MUCH * means[ordered[0]]:
        return
    each = listed([f"{printed('resampler', str(name))} {means[name]:,.0f}" for name in ordered])
    has_epochs = any(hasattr(cell.classifier, "epochs") for cell in results.cells)
    steps = " Equal epochs are then unequal numbers of training steps." if has_epochs else ""
    yield f"Resamplers also differ in how many images are trained on (on average {each}).{steps}"


def _left_out(results: Results) -> Iterator[str]:
    counts = results.places["status"].value_counts()
    infeasible = int(counts.get("infeasible", 0))
    lacking = len(results.places) - infeasible - int(counts.get("done", 0))
    if infeasible:
        yield f"Cells that cannot be computed are left out, of all methods alike: {infeasible} are infeasible."
    if lacking:
        yield f"The study is unfinished: {plural(lacking, 'cell')} without a result."
