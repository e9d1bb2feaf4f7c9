"""Whether two numbers may be set against each other: the facts of the protocols by which they were obtained."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from raygrid.axes import IMBALANCE, METHOD_AXES, level_name
from raygrid.cells import Cell
from raygrid.report.left_out import Key
from raygrid.report.results import Results

Facts = Mapping[str, frozenset[str]]

# Facts by which two tables may differ, as the lines above a published table and --despite name them.
FACTS = (
    *("dataset", "levels", "split", "imbalance", "class_order", "test", "image_size", "backbone", "weights", "metric"),
)


def facts_of_numbers(results: Results, row_axis: str) -> dict[Key, Facts]:
    """Return the facts of every number of a table, by level of the row axis, representation, classifier, resampler."""
    places = results.places
    is_done = (places["status"] == "done").to_numpy()
    groups: Any = places.groupby([row_axis, *METHOD_AXES], sort=False, observed=True).indices
    return {
        key: facts_of([results.cells[i] for i in positions])
        | {"levels": frozenset(level_name(places[IMBALANCE].iloc[i]) for i in positions)}
        for key, those in groups.items()
        if len(positions := those[is_done[those]])
    }


def facts_of(cells: Iterable[Cell]) -> dict[str, frozenset[str]]:
    """Return what some cells say of their protocol: every value that a fact has, of what they say."""
    facts: dict[str, set[str]] = {}
    for cell in cells:
        network = cell.classifier.as_dict() | cell.representation.as_dict()
        profile = cell.imbalance.as_dict()
        said = {
            "dataset": cell.dataset.name,
            "split": cell.split.name,
            "imbalance": cell.imbalance.name,
            "class_order": profile.get("class_order"),
            "test": profile.get("test"),
            "image_size": cell.image_size,
            "backbone": network.get("backbone"),
            "weights": network.get("weights"),
        }
        for name, value in said.items():
            if value is not None:
                facts.setdefault(name, set()).add(_short(value))
    return {name: frozenset(values) for name, values in facts.items()}


def _short(value: object) -> str:
    """Return a value as text; of a path, the name of the file."""
    return Path(value).name if isinstance(value, str | Path) and "/" in str(value) else str(value)


def stated(protocol: Mapping[str, str]) -> Facts:
    """Return the facts that a published table states; several values are separated by commas."""
    return {name: frozenset(value.strip() for value in text.split(",")) for name, text in protocol.items()}


def differing(ours: Facts, theirs: Facts, row_axis: str) -> dict[str, str]:
    """Return each fact that both state and in which they differ, with what both say of it.

    The levels of the rows are matched one by one, so that they cannot differ.
    """
    of_rows = {"dataset": ("dataset",), IMBALANCE: ("levels",)}[row_axis]
    return {
        name: f"{_said(ours[name])} against {_said(theirs[name])}"
        for name in FACTS
        if name in ours and name in theirs and name not in of_rows and ours[name] != theirs[name]
    }


def _said(values: Iterable[str]) -> str:
    return ", ".join(sorted(values, key=_in_order))


def _in_order(value: str) -> tuple[float, str]:
    try:
        return float(value), ""
    except ValueError:
        return float("inf"), value


def in_words(facts: Mapping[str, str]) -> str:
    """Return what differs in one line: *dataset stl10 against mnist; image_size 32 against 64*."""
    return "; ".join(f"{name} {what}" for name, what in facts.items())


def unknown_facts(names: Sequence[str]) -> list[str]:
    """Return which of these no protocol has."""
    return [name for name in names if name not in FACTS]
