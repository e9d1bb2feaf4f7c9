"""What was studied: the data sets, how many images of each a level of imbalance uses, and what a fold is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from raygrid.axes import IMBALANCE, axis_heading, level_name, level_phrase
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet
from raygrid.report.studied_methods import settings
from raygrid.splits import Holdout, Official, StratifiedKFold
from raygrid.storage.record import Record
from raygrid.wording import plural

_TESTED_ON = {
    "same": "as imbalanced as the training set",
    "balanced": "balanced, as many images of each class as the smallest has",
    "natural": "all images of the test part, as they are",
}
_ORDERED = {
    "random": "in random order, another one in each fold",
    "given": "in the order of their names",
    "by_size": "from the largest to the smallest",
}


@dataclass(frozen=True)
class DataSet:
    """A data set in a few words, and the names of its classes as far as a record has them."""

    name: str
    class_names: tuple[str, ...]
    lines: tuple[str, ...]


def data_sets(results: Results) -> Iterator[DataSet]:
    """Yield the data sets in the order of the grid; of the sizes, those of the least imbalance and of the most."""
    first = _first_done(results)
    for dataset in dict.fromkeys(results.places["dataset"]):
        of_it = first[first["dataset"] == dataset]
        records = [results.records[key] for key in of_it["key"]]
        names = tuple(records[0].class_names) if records else ()
        ends = dict(zip(of_it[IMBALANCE], records, strict=True))
        shown = list(dict.fromkeys([*list(ends)[:1], *list(ends)[-1:]]))
        lines = tuple(f"{level_phrase(IMBALANCE, level)}: {_in_short(ends[level])}" for level in shown)
        yield DataSet(dataset, names, lines or ("No cell is done yet.",))


def _in_short(record: Record) -> str:
    counts = {part: record.class_counts.get(part, []) for part in ("train", "test")}
    train, test = counts["train"], counts["test"]
    return f"{sum(train):,} train, a class {_range(train)}; {sum(test):,} test, {_range(test)}"


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts, default=0), max(counts, default=0)
    return f"{low:,}" if low == high else f"{low:,}\N{EN DASH}{high:,}"


def protocol(results: Results) -> list[tuple[str, str]]:
    """Return the levels, the folds, the test set and what else cells use as names and sentences."""
    if not results.cells:
        return []
    levels = [level_name(level) for level in results.places[IMBALANCE].cat.categories]
    profiles = [cell.imbalance for cell in results.cells]
    orders = dict.fromkeys(_ORDERED[profile.class_order] for profile in profiles)
    tested = dict.fromkeys(_TESTED_ON[profile.test] for profile in profiles)
    return [
        (axis_heading(IMBALANCE, results.places[IMBALANCE]), f"{', '.join(levels)}; classes {', or '.join(orders)}"),
        ("Folds", _folds(results)),
        ("Test set", ", or ".join(tested)),
        *settings(results),
    ]


def sizes_sheet(results: Results) -> Sheet:
    """Return the images that each level uses, and the sizes of its classes: of its first fold that is done."""
    head = (
        "Dataset",
        axis_heading(IMBALANCE, results.places[IMBALANCE]),
        "Train",
        "A class",
        "Ratio",
        "Validation",
        "Test",
        "A class",
    )
    title = "Sizes at every level, in its first fold"
    return Sheet(
        title, head, tuple(_rows(results)), _notes(results), text_columns=frozenset({0, 1}), section="overview"
    )


def _rows(results: Results) -> Iterator[tuple[str, ...]]:
    first = _first_done(results)
    for dataset in dict.fromkeys(results.places["dataset"]):
        for place in first[first["dataset"] == dataset].itertuples():
            record = results.records[place.key]
            ratio = "" if record.ir is None else f"{record.ir:.3g}"
            sizes = (*_sizes(record, "train"), ratio, _sizes(record, "validation")[0], *_sizes(record, "test"))
            yield dataset, level_name(getattr(place, IMBALANCE)), *sizes


def _first_done(results: Results) -> pd.DataFrame:
    """Return the first cell that is done of each data set at each level, from the least imbalance to the most."""
    places = results.places[results.places["status"] == "done"].sort_values(IMBALANCE, kind="stable")
    return places.drop_duplicates(["dataset", IMBALANCE])


def _sizes(record: Record, part: str) -> tuple[str, str]:
    """Return how many samples a part has, and its smallest and largest class."""
    counts = record.class_counts.get(part, [])
    return (str(sum(counts)), f"{min(counts)} to {max(counts)}") if counts else ("0", "")


def _folds(results: Results) -> str:
    folds = {cell.fold for cell in results.cells}
    n_folds = plural(len(folds), "fold")
    match results.cells[0].split:
        case Official():
            return f"{n_folds}: each draws a class order and samples anew from the official train and test parts"
        case Holdout(test=share):
            return f"{n_folds}: each draws {share:g} of every class anew as its test part"
        case StratifiedKFold(n_splits=n):
            anew = f", dealt out anew after every {n} folds" if max(folds) >= n else ""
            return f"{n_folds}: stratified {n}-fold cross-validation{anew}"
        case other:
            return f"{n_folds} of the split {other.name}"


def _notes(results: Results) -> tuple[str, ...]:
    records = [results.records[key] for key in results.places["key"] if key in results.records]
    lost = sum(0 in record.class_counts.get("resampled", ()) for record in records)
    scored = f"{plural(lost, 'cell')} lost a class to its resampler; the recall of that class counts as 0."
    return (scored,) if lost else ()
