"""The results in sentences: how much of the grid is done, which resampler is best, and the effect of higher IR.

Every comparison is paired: it uses only blocks (data set, IR, fold) in which all compared cells are done, and averages
them within each fold, then over folds. The number after ± is the sample standard deviation over folds.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import pandas as pd

from raygrid.axes import ARM_AXES, BLOCK_AXES, IMBALANCE, level_phrase
from raygrid.report.render import fixed, printed
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet
from raygrid.wording import plural

BASELINE = "none"
_ARM = list(ARM_AXES)
_STATUSES = ("done", "infeasible", "error", "oom", "timeout", "preempted", "missing")


@dataclass(frozen=True)
class Finding:
    """What can be said of an arm: pairs of a subject, a metric most often, and sentences; and a note on all of them."""

    title: str
    points: tuple[tuple[str, str], ...]
    note: str = ""


def status_counts(results: Results) -> dict[str, int]:
    """Return how many cells have each status that any has, in the order of a good ending to none."""
    counts = Counter(results.places["status"])
    return {status: counts[status] for status in _STATUSES if counts[status]}


def progress(results: Results) -> list[str]:
    """Say how many cells have a result, and what became of the others."""
    counts = status_counts(results)
    n_cells, n_done = len(results.places), counts.get("done", 0)
    if n_done == n_cells:
        return [f"All {plural(n_cells, 'cell')} of the grid are done."]
    failed = {status: count for status, count in counts.items() if status not in ("done", "infeasible", "missing")}
    lacking = [
        (counts.get("infeasible", 0), "infeasible: no repetition can compute them"),
        (sum(failed.values()), f"failed ({', '.join(f'{n} {status}' for status, n in failed.items())})"),
        (counts.get("missing", 0), "not run yet"),
    ]
    rest = "; ".join(f"{count} {what}" for count, what in lacking if count)
    sentences = [
        f"{n_done} of the {plural(n_cells, 'cell')} of the grid are done ({100 * n_done // n_cells}%); {rest}."
    ]
    if failed or counts.get("missing"):
        sentences.append("The grid is unfinished: all below is about what is there, and may change with what is not.")
    return sentences


def progress_sheet(results: Results) -> Sheet:
    """Return the number of cells of each data set and arm by status."""
    statuses = list(status_counts(results))
    groups = results.places.groupby(["dataset", *_ARM], sort=False)["status"]
    rows = [
        (
            str(dataset),
            " · ".join(map(str, arm)),
            str(len(those)),
            *(str((those == status).sum()) for status in statuses),
        )
        for (dataset, *arm), those in groups
    ]
    head = ("Dataset", "Arm", "Cells", *statuses)
    return Sheet("What is there", head, tuple(rows), text_columns=frozenset({0, 1}), section="overview")


def findings(results: Results) -> Iterator[Finding]:
    """Yield what can be said of each arm, then of the arms together."""
    done = results.frame.assign(value=results.frame["value"].where(results.frame["status"] == "done"))
    arms = list(done.groupby(_ARM, sort=False))
    for arm, lines in arms:
        yield _finding(" · ".join(map(str, arm)), lines, ["resampler"], _best)
    if sum(lines["value"].notna().any() for _, lines in arms) > 1:
        yield _finding("Across the arms", done, [*_ARM, "resampler"], _best_of_all)


def _finding(title: str, lines: pd.DataFrame, columns: Sequence[str], say: Callable[[pd.DataFrame], str]) -> Finding:
    """Say the same of every metric, over the blocks that all columns have."""
    points, notes = [], {}
    for metric, of_metric in lines.groupby("metric", sort=False):
        folds, n_whole, n_blocks = _folds(of_metric, columns)
        if folds.shape[1] > 1 and n_whole:
            points.append((str(metric), say(folds)))
            notes[f"Over the {n_whole} of {plural(n_blocks, 'block')} that lack nothing."] = n_whole < n_blocks
        elif n_blocks:
            points.append((str(metric), "No block has all resamplers yet, so that nothing can be compared."))
        elif lines["value"].notna().any():
            points.append((str(metric), "No cell has a value."))
    points += _losses(lines) if columns == ["resampler"] else []
    partial = [note for note, is_partial in notes.items() if is_partial]
    return Finding(title, tuple(points) or (("", "Nothing is done yet."),), " ".join(partial))


def _folds(lines: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.DataFrame, int, int]:
    """Return the mean of each column in each fold over the blocks that all columns have, and how many of the blocks do.

    A column, or a block, of which nothing is done takes no part.
    """
    rows = [axis for axis in BLOCK_AXES if axis not in columns]
    wide = lines.pivot_table(index=rows, columns=list(columns), values="value", sort=False, dropna=False)
    wide = wide.dropna(how="all").dropna(how="all", axis=1)
    complete = wide.dropna()
    return complete.groupby("fold").mean(), len(complete), len(wide)


def _ranked(folds: pd.DataFrame) -> list[Any]:
    return list(folds.mean().sort_values(ascending=False, kind="stable").index)


def _best(folds: pd.DataFrame) -> str:
    """Name the resampler with the highest mean, and set it against none and against the next."""
    best, second, *_ = ranked = _ranked(folds)
    against = BASELINE if BASELINE in ranked and best != BASELINE else second
    gain = folds[best] - folds[against]
    sentences = [
        f"{_resampler(best)} has the highest mean, {_spread(folds[best])}: {_spread(gain)}{_within(gain)} above "
        f"{_resampler(against)}, and above it in {(gain > 0).sum()} of {plural(len(folds), 'fold')}."
    ]
    if second != against:
        lead = folds[best] - folds[second]
        sentences.append(f"Next is {_resampler(second)}, {_spread(lead)}{_within(lead)} lower.")
    if below := ranked[ranked.index(BASELINE) + 1 :] if BASELINE in ranked else []:
        sentences.append(f"Below {_resampler(BASELINE)}: {', '.join(map(_resampler, below))}.")
    return " ".join(sentences)


def _best_of_all(folds: pd.DataFrame) -> str:
    """Name the column with the highest mean of all arms, and the best of the arm that comes next."""
    best, *others = _ranked(folds)
    other = next((column for column in others if column[:2] != best[:2]), None)
    found = f"{_column(best)} has the highest mean, {_spread(folds[best])}."
    if other is None:
        return f"{found} No other arm has values."
    lead = folds[best] - folds[other]
    return f"{found} The best of another arm, {_column(other)}, is {_spread(lead)}{_within(lead)} lower."


def _losses(lines: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Say what the baseline loses from the lowest IR to the highest."""
    low, high = lines[IMBALANCE].min(), lines[IMBALANCE].max()
    ends = lines[(lines["resampler"] == BASELINE) & lines[IMBALANCE].isin([low, high])]
    losses = []
    for metric, of_metric in ends.groupby("metric", sort=False):
        folds, *_ = _folds(of_metric, [IMBALANCE])
        if folds.shape[1] == 2 and len(folds):
            loss = folds[low] - folds[high]
            share = f" ({loss.mean() / folds[low].mean():.1%} of its value)" if folds[low].mean() else ""
            losses.append(f"{_spread(loss)} {metric}{share}")
    if losses:
        span = f"From {level_phrase(IMBALANCE, low)} to {level_phrase(IMBALANCE, high)}"
        yield span, f"{_resampler(BASELINE)} loses {', '.join(losses)}."


def _resampler(name: str) -> str:
    return printed("resampler", name)


def _column(column: Sequence[str]) -> str:
    return f"{' · '.join(column[:-1])} with {_resampler(column[-1])}"


def _spread(values: pd.Series) -> str:
    """Return the mean and, where there are two folds or more, the sample standard deviation."""
    mean, spread = fixed(values.mean()).replace("-", "\N{MINUS SIGN}"), values.std()
    return mean if isnan(spread) else f"{mean}\u00a0±{fixed(spread)}"


def _within(differences: pd.Series) -> str:
    """Say so where a difference is smaller than its own spread."""
    return " (less than its spread)" if abs(differences.mean()) < differences.std() else ""
