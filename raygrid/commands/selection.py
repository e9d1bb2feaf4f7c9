"""The cells that `--only` chooses."""

import re
from collections.abc import Iterable, Mapping, Sequence

from raygrid.axes import ALIASES
from raygrid.cells import Cell, labels_on, names_on
from raygrid.errors import UsageError, choices
from raygrid.gridfile.levels import canonical, spelled


def select(cells: Iterable[Cell], only: Sequence[str], valid: Mapping[str, Sequence[str]]) -> list[Cell]:
    """Return the cells that every one of `only` allows.

    Parameters
    ----------
    only : sequence of str
        ``axis=level`` or ``axis=level,level``; a level by its text, or by its label in tables, which also has the
        parameters in which it differs from others: ``classifier=svm(C=10.0)``.
    valid : mapping
        The levels of every axis, as text.

    Raises
    ------
    UsageError
        An axis or level that is not valid.
    """
    every = kept = list(cells)
    for text in only:
        name, _, levels = text.partition("=")
        axis = ALIASES.get(name, name)
        if axis not in valid:
            raise UsageError(f"--only {text}: {choices(name, valid)}")
        wanted = {canonical(axis, level): None for level in re.split(r",(?![^(]*\))", levels)}
        label_of = labels_on(axis, every)
        known = dict.fromkeys([*valid[axis], *label_of.values()])
        for level in wanted:
            if level not in known:
                hint = "; repeat --only for another axis" if "=" in level and "(" not in level else ""
                raise UsageError(f"--only {text}: {choices(level, known)}{hint}")
        chosen = {label for one, label in label_of.items() if spelled(one) in wanted or label in wanted}
        kept = [cell for cell, label in zip(kept, names_on(axis, kept, label_of), strict=True) if label in chosen]
    return kept
