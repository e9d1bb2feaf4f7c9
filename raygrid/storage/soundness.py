"""Whether the parts of a record fit each other, because whoever wrote a store may have written anything into it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from math import isfinite

from pydantic import ValidationError

from raygrid.errors import StoreError
from raygrid.storage.archives import MAX_FILE_BYTES
from raygrid.storage.folders import Location
from raygrid.storage.record import Curves, Record

_MOST_SECONDS = 1e12
_MOST_SAMPLES = 2**53  # which a float has exactly


def faults(record: Record) -> Iterator[str]:
    """Yield what does not fit, as *field: got X; expected Y*; nothing for a record that raygrid wrote."""
    measured = record.measured
    times = [*measured.seconds.values(), measured.shared_s, measured.peak_memory_mb, measured.gpus, measured.card_share]
    if not (all(map(isfinite, times)) and min(times) >= 0 and max(times) <= _MOST_SECONDS):
        yield "measured: got a negative or an endless number; expected seconds and megabytes"
    if not _is_time(measured.finished_at):
        yield "measured.finished_at: got no time; expected one as ISO 8601 has it, with its offset from UTC"
    if not all(map(isfinite, [*record.metrics.values(), *record.validation.values(), record.ir or 1.0])):
        yield "metrics: got NaN or infinity; expected numbers"
    if record.choice and not 0 <= record.choice.chosen < len(record.choice.candidates):
        yield "choice.chosen: expected the position of a candidate"
    if record.curves:
        yield from _of_curves(record.curves)
    if record.status == "done":
        yield from _of_classes(record)


def _of_classes(record: Record) -> Iterator[str]:
    n, counts = len(record.confusion), record.class_counts
    if n < 2 or any(len(row) != n for row in record.confusion):
        yield "confusion: expected as many rows as columns, two or more"
    if not all(map(_are_counts, record.confusion)):
        yield "confusion: expected numbers of samples"
    if len(record.class_names) != n:
        yield f"class_names: got {len(record.class_names)}; expected {n}, one a row of confusion"
    if sorted(record.class_order) != list(range(n)):
        yield f"class_order: expected each of 0 to {n - 1} once"
    if not {"train", "test"} <= counts.keys():
        yield "class_counts: expected train and test"
    for part, sizes in counts.items():
        if len(sizes) != n or not _are_counts(sizes):
            yield f"class_counts.{part}: expected {n} numbers of samples"


def _of_curves(curves: Curves) -> Iterator[str]:
    lengths = {len(values) for values in chain(curves.train.values(), curves.validation.values())}
    if "loss" not in curves.train or len(lengths) != 1 or not 1 <= curves.kept <= min(lengths):
        yield "curves: expected a loss and as many values of each measure, and the one that is kept among them"


def _are_counts(numbers: Sequence[int]) -> bool:
    return not numbers or (min(numbers) >= 0 and max(numbers) < _MOST_SAMPLES)


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def sound_record(path: Location, content: bytes) -> Record:
    """Return the record in a file.

    Raises
    ------
    StoreError
        The file holds no record, an unsound one, or that of another cell.
    """
    if len(content) > MAX_FILE_BYTES:
        raise StoreError(f"{path}: got {len(content)} bytes; expected at most {MAX_FILE_BYTES}; delete the file")
    try:
        record = Record.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors()[0]
        reason = ": ".join([".".join(map(str, fault["loc"])), fault["msg"]]).removeprefix(": ")
        raise StoreError(f"{path}: got no record ({reason}); delete the file to run its cell again") from None
    if unsound := next(faults(record), ""):
        raise StoreError(f"{path}: got no sound record ({unsound}); delete the file to run its cell again")
    if record.key != path.stem:
        raise StoreError(f"{path}: got the record of {record.key}; delete or rename the file")
    return record
