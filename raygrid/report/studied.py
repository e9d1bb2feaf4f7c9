"""What was studied: how many images of each data set a level of imbalance uses, and what a fold is."""

from collections.abc import Iterator

from raygrid.axes import IMBALANCE, axis_heading, level_name
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet
from raygrid.splits import Holdout, Official, StratifiedKFold
from raygrid.storage.record import Record
from raygrid.wording import plural


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
    return Sheet(
        "What was studied",
        head,
        tuple(_rows(results)),
        _notes(results),
        text_columns=frozenset({0, 1}),
        section="overview",
        is_folded=False,
    )


def _rows(results: Results) -> Iterator[tuple[str, ...]]:
    places = results.places[results.places["status"] == "done"].sort_values(IMBALANCE, kind="stable")
    first = places.drop_duplicates(["dataset", IMBALANCE])
    for dataset in dict.fromkeys(results.places["dataset"]):
        for place in first[first["dataset"] == dataset].itertuples():
            record = results.records[place.key]
            ratio = "" if record.ir is None else f"{record.ir:.3g}"
            sizes = (*_sizes(record, "train"), ratio, _sizes(record, "validation")[0], *_sizes(record, "test"))
            yield dataset, level_name(getattr(place, IMBALANCE)), *sizes


def _sizes(record: Record, part: str) -> tuple[str, str]:
    """Return how many samples a part has, and its smallest and largest class."""
    counts = record.class_counts.get(part, [])
    return (str(sum(counts)), f"{min(counts)} to {max(counts)}") if counts else ("0", "")


def _notes(results: Results) -> tuple[str, ...]:
    if not results.cells:
        return ()
    n_folds = plural(len({cell.fold for cell in results.cells}), "fold")
    match results.cells[0].split:
        case Official():
            what = f"{n_folds}: each draws a class order and samples anew from the official train and test parts"
        case Holdout(test=share):
            what = f"{n_folds}: each draws {share:g} of every class anew as its test part"
        case StratifiedKFold(n_splits=n):
            what = f"{n_folds}: stratified {n}-fold cross-validation, dealt out anew after every {n} folds"
        case other:
            what = f"{n_folds} of the split {other.name}"
    records = [results.records[key] for key in results.places["key"] if key in results.records]
    lost = sum(0 in record.class_counts.get("resampled", ()) for record in records)
    scored = f"{plural(lost, 'cell')} lost a class to its resampler; the recall of that class counts as 0."
    return (f"{what}.", *([scored] if lost else []))
