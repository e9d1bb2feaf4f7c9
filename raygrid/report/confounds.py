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
    means = sizes.groupby(IMBALANCE, observed=True)["train"].mean()
    if len(means) > 1 and means.max() > MUCH * means.min():
        most, least = means.idxmax(), means.idxmin()
        yield (
            f"More imbalance also means another number of training images ({means[most]:,.0f} at "
            f"{level_phrase(IMBALANCE, most)}, {means[least]:,.0f} at {level_phrase(IMBALANCE, least)}, on average), so "
            "that the two costs are not told apart."
        )


def _by_resampler(results: Results, sizes: pd.DataFrame) -> Iterator[str]:
    means = sizes.groupby("resampler", sort=False)["resampled"].mean()
    if len(means) < 2 or means.max() <= MUCH * means.min():
        return
    by_size = means.sort_values()
    ends = listed([f"{printed('resampler', str(name))} {size:,.0f}" for name, size in by_size.items()])
    trained = [cell.classifier for cell in results.cells if hasattr(cell.classifier, "epochs")]
    steps = " Equal epochs are then unequal numbers of training steps." if trained else ""
    yield f"Resamplers also change how many images are trained on (on average {ends}).{steps}"


def _left_out(results: Results) -> Iterator[str]:
    counts = results.places["status"].value_counts()
    infeasible = int(counts.get("infeasible", 0))
    lacking = len(results.places) - infeasible - int(counts.get("done", 0))
    if infeasible:
        yield f"{plural(infeasible, 'cell')} cannot be computed and are left out, so that comparisons are of the others."
    if lacking:
        yield f"{plural(lacking, 'cell')} have no result yet."
