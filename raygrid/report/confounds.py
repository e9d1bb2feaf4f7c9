"""What differs between methods or levels besides what they are named for, in sentences."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from raygrid.axes import IMBALANCE, METHOD_AXES, level_phrase
from raygrid.report.render import printed
from raygrid.report.results import Results
from raygrid.wording import at_most, listed, plural

MOST_NAMED = 3  # methods without a result
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


def _infeasible(places: pd.DataFrame, n_cells: int) -> Iterator[str]:
    """Say which methods have no result at all on a data set, and what is left out where one lacks only some."""
    is_infeasible, is_done = places["status"] == "infeasible", places["status"] == "done"
    by: Any = places.assign(infeasible=is_infeasible, done=is_done).groupby(["dataset", *METHOD_AXES], sort=False)
    counts = by[["infeasible", "done"]].sum()
    lacking = counts[counts["infeasible"] > 0]
    empty = [_on(place) for place in lacking.index[lacking["done"] == 0]]
    yield f"{plural(n_cells, 'cell')} {'is' if n_cells == 1 else 'are'} infeasible, which no repetition changes."
    if empty:
        yield f"No result at all, so that nothing is compared with it there: {'; '.join(at_most(empty, MOST_NAMED))}."
    if (lacking["done"] > 0).any():
        yield (
            "Where a method lacks some results only, the ranking and each test leave out these folds or levels of all "
            "methods that they compare, and a table leaves them out of that method's number."
        )


def _on(place: Sequence[str]) -> str:
    """Return a method on a data set: *SMOTE with features · svm on mnist*."""
    dataset, *arm, resampler = place
    return f"{printed('resampler', resampler)} with {' · '.join(arm)} on {dataset}"


def _left_out(results: Results) -> Iterator[str]:
    counts = results.places["status"].value_counts()
    infeasible = int(counts.get("infeasible", 0))
    lacking = len(results.places) - infeasible - int(counts.get("done", 0))
    if infeasible:
        yield " ".join(_infeasible(results.places, infeasible))
    if lacking:
        yield f"The study is unfinished: {plural(lacking, 'cell')} without a result."
