"""What is left out of the numbers of a table, because no run can ever compute it."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import pandas as pd

from raygrid.axes import level_phrase
from raygrid.wording import plural

Key = tuple[Hashable, ...]

# What a cell that is done may be by one metric: it kept no scores, which the metric takes, or that has no value for it.
WITHOUT_SCORES, UNDEFINED = "without scores", "undefined"
LASTING = ("infeasible", WITHOUT_SCORES, UNDEFINED)  # no other run can mend these: a dash with a footnote


def possible_of(frame: pd.DataFrame, key: Sequence[str], averaged: Sequence[str], *, keeps_folds: bool) -> pd.DataFrame:
    """Return the lines without levels, and without folds unless they are kept, that can never have a result."""
    lasting = frame["status"].isin(LASTING)
    lines = frame.assign(lasting=lasting)
    lines = lines[~groups(lines, [*key, *averaged])["lasting"].transform("all")]
    possible: pd.DataFrame = lines
    if not keeps_folds:
        possible = lines[~groups(lines, [*key, "fold"])["lasting"].transform("any")]
    return possible


def left_out_of(
    frame: pd.DataFrame, possible: pd.DataFrame, key: Sequence[str], averaged: Sequence[str]
) -> dict[Key, str]:
    """Say what of each number is left out, because it can never have a result."""
    gone = frame.loc[frame.index.difference(possible.index)]
    if gone.empty:
        return {}
    left: dict[Key, pd.DataFrame] = dict(iter(groups(possible, key)))
    notes = {}
    for levels, lines in groups(gone, key):
        kept = left.get(levels, possible.iloc[:0])
        what = [
            level_phrase(axis, level)
            for axis in (*averaged, "fold")
            for level in dict.fromkeys(lines[axis])
            if not (kept[axis] == level).any()
        ]
        n_cells = len(lines) + len(kept)
        notes[levels] = f"of {plural(n_cells, 'cell')}: {tally(lines['status'])}; without {', '.join(what)}"
    return notes


def cells_of(
    possible: pd.DataFrame, counted: pd.DataFrame, key: Sequence[str], averaged: Sequence[str]
) -> dict[Key, frozenset[Key]]:
    """Return the folds and averaged levels behind each number."""
    names = list(dict.fromkeys([*key, "fold"]))
    lines = possible.merge(counted[names], on=names)
    lines["cell"] = list(zip(*(lines[axis].tolist() for axis in ("fold", *averaged)), strict=True))
    return {levels: frozenset(those) for levels, those in groups(lines, key)["cell"]}


def groups(frame: pd.DataFrame, by: Iterable[str]) -> Any:  # pandas-stubs has no usable type for a list of labels
    """Group by the distinct columns named, in order of appearance."""
    return frame.groupby(list(dict.fromkeys(by)), sort=False, observed=True)


def tally(statuses: Iterable[str]) -> str:
    """Return, for example, *10 missing, 2 error*, the most frequent first."""
    counts = Counter(statuses)
    return ", ".join(f"{counts[status]} {status}" for status in sorted(counts, key=lambda s: (-counts[s], s)))
