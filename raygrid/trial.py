"""One cell, from its inputs to its record: the pipeline."""

import json
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

import numpy as np
from joblib import parallel_config
from threadpoolctl import threadpool_limits

from raygrid import host
from raygrid.cells import Cell
from raygrid.choosing import Outcomes, calibrated, choose, small_classes
from raygrid.classifiers import Part, curves_of, fit, predictions
from raygrid.errors import InfeasibleError, UsageError
from raygrid.folds import fold_of
from raygrid.host import Runtime
from raygrid.inputs import Inputs, samples_of
from raygrid.metrics.confusion import confusion_matrix, metrics_of
from raygrid.networks.keras_backend import card_name, card_share
from raygrid.storage.checkpoint import Checkpoint
from raygrid.storage.record import FINAL, Measured, Record, Status
from raygrid.storage.stopwatch import shared_s
from raygrid.storage.store import Store

Predictions = dict[str, np.ndarray[Any, Any]]

_NO_LIMIT = nullcontext()


class Clock:
    """Seconds by stage, without those spent on what cells share: a cell must not seem to cost what it did for others.

    Attributes
    ----------
    seconds : dict
        By stage.
    shared_s : float
        Of all stages: computing what cells share, or waiting for it.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.shared_s = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block under `name`, also when it fails."""
        start, shared_before = time.perf_counter(), shared_s()
        try:
            yield
        finally:
            shared = shared_s() - shared_before
            self.shared_s += shared
            self.seconds[name] = round(max(0.0, time.perf_counter() - start - shared), 3)


def compute(
    cell: Cell, inputs: Inputs, clock: Clock, checkpoint: Checkpoint, runtime: Runtime
) -> tuple[dict[str, Any], Predictions]:
    """Run the pipeline of one cell; return the fields of a done record and the predictions."""
    n_classes = len(inputs.class_names)
    with clock.stage("split"):
        fold = fold_of(cell, inputs)
        y, y_validation, y_test = (inputs.y[index] for index in (fold.train, fold.validation, fold.test))
    with clock.stage("represent"):
        X, X_validation, X_test = samples_of(cell, inputs, fold, runtime)
    chosen, choice = cell, None
    if cell.n_candidates > 1:
        checkpoint = progress = Outcomes(checkpoint)
        with clock.stage("choose"):
            chosen, choice = choose(cell, (X, y), (X_validation, y_validation), n_classes, progress)
    with clock.stage("resample"):
        X_resampled, A, y_resampled = chosen.resampler.apply(X, y, seed=cell.seed_of("resample"))
    with clock.stage("fit"):
        seed, watched = cell.seed_of("fit"), None if cell.validation is None else Part(X_validation, y_validation)
        model = fit(
            chosen.classifier,
            X_resampled,
            A,
            y_resampled,
            n_classes,
            seed=seed,
            checkpoint=checkpoint,
            validation=watched,
        )
    lacking = []
    if chosen.classifier.is_calibrated:
        with clock.stage("calibrate"):
            try:
                model = calibrated(chosen, model, X, y, n_classes, checkpoint)
            except InfeasibleError as error:  # labels need no probabilities
                lacking.append(f"no probabilities, because {error}")
    with clock.stage("predict"):
        predicted = predictions(model, X_test, n_classes)
        validated = predictions(model, X_validation, n_classes) if len(X_validation) else {}

    counts = {"train": y, "validation": y_validation, "resampled": y_resampled, "test": y_test}
    sizes = {part: np.bincount(labels, minlength=n_classes).tolist() for part, labels in counts.items() if len(labels)}
    confusion = confusion_matrix(y_test, predicted["y_pred"], n_classes)
    fields = {
        "metrics": metrics_of(confusion),
        "confusion": confusion.tolist(),
        "class_names": list(inputs.class_names),
        "class_order": fold.class_order.tolist(),
        "class_counts": sizes,
        "ir": max(sizes["train"]) / min(sizes["train"]),
        "curves": curves_of(model),
        "choice": choice,
        "notes": notes_on(sizes, inputs.class_names, [inputs.class_names[i] for i in small_classes(cell, y)]) + lacking,
    }
    if validated and all(sizes["validation"]):
        fields["validation"] = metrics_of(confusion_matrix(y_validation, validated["y_pred"], n_classes))
    return fields, {"y_true": y_test, **predicted, "test_index": fold.test}


def notes_on(sizes: Mapping[str, Sequence[int]], class_names: Sequence[str], small: Sequence[str]) -> list[str]:
    """Say which classes a resampler has removed, the validation part lacks, or an inner fold may lack.

    Parameters
    ----------
    sizes : mapping
        Samples of each class, by part, as a record has them.
    small : sequence of str
        The classes with fewer training samples than there are inner folds.
    """

    def lacking(part: str) -> str:
        return ", ".join(repr(name) for name, size in zip(class_names, sizes.get(part, ()), strict=False) if not size)

    notes = []
    if names := lacking("resampled"):
        notes.append(f"no training samples are left of {names}: recall 0")
    if names := lacking("validation"):
        notes.append(f"no validation samples of {names}: no metrics of the validation part")
    if small:
        notes.append(f"fewer training samples than inner folds of {', '.join(map(repr, small))}: not scored in each")
    return notes


def run(
    cell: Cell,
    inputs: Inputs,
    store: Store,
    *,
    runtime: Runtime,
    attempt: str,
    limit: AbstractContextManager[object] = _NO_LIMIT,
) -> Record:
    """Compute one cell and keep its record, whatever becomes of it; what is there already is not computed again.

    Parameters
    ----------
    runtime : Runtime
        What the cell is computed with.
    attempt : str
        A name for this try, and others of the same run at the same time.
    limit : context manager
        Limits the time of the computation; a store that is slow to answer is not the cell's fault.

    Raises
    ------
    UsageError
        Something that the user can mend, and that every other cell would meet as well: missing weights, a full disk.
    """
    earlier = store.record(cell.key)
    if earlier and (earlier.status in FINAL or earlier.measured.attempt == attempt):
        return earlier
    store.write_log(cell.key, "")  # what an earlier trial wrote is not this one's
    clock, checkpoint = Clock(), store.checkpoint(cell.key, version=json.dumps(runtime.known(), sort_keys=True))
    host.reset_peak_memory()
    threads, gpus = runtime.threads, runtime.gpus if cell.uses_cards else 0.0
    with limit, threadpool_limits(threads), parallel_config("threading", n_jobs=threads), _warnings() as warned:
        outcome, predictions = _outcome(cell, inputs, clock, checkpoint, runtime)
    record = Record(
        key=cell.key,
        cell=cell.identity(),
        **outcome,
        versions=runtime.versions(),
        measured=Measured(
            finished_at=_now(),
            seconds=clock.seconds | ({"earlier": round(checkpoint.earlier_s, 3)} if checkpoint.earlier_s else {}),
            shared_s=round(clock.shared_s, 3),
            gpus=gpus,
            device=card_name() if gpus else host.processor(),
            peak_memory_mb=host.peak_memory_mb(),
            card_share=card_share() if gpus else 0.0,
            attempt=attempt,
            log=list(dict.fromkeys(f"{warning.category.__name__}: {warning.message}" for warning in warned)),
        ),
    )
    store.write(record, predictions)
    if record.status in FINAL and checkpoint.is_used:  # a failure may be tried again
        checkpoint.delete()
    return record


def record_loss(
    cell: Cell, store: Store, *, status: Status, message: str, where: str | None = None, attempt: str = ""
) -> None:
    """Keep a record of a cell whose process could not keep one itself."""
    measured = Measured(finished_at=_now(), seconds={}, peak_memory_mb=0, attempt=attempt)
    record = Record(
        key=cell.key, cell=cell.identity(), status=status, message=message, traceback=where, measured=measured
    )
    store.write(record, {})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _outcome(
    cell: Cell, inputs: Inputs, clock: Clock, checkpoint: Checkpoint, runtime: Runtime
) -> tuple[dict[str, Any], Predictions]:
    """Return the fields of the record that say what became of the cell, and its predictions if it is done."""
    try:
        fields, predictions = compute(cell, inputs, clock, checkpoint, runtime)
    except InfeasibleError as error:
        return {"status": "infeasible", "message": str(error)}, {}
    except UsageError:  # nothing that another cell could do better
        raise
    except Exception as error:  # a failure is data: whatever a library raises becomes a record
        return {
            "status": "oom" if host.is_out_of_memory(error) else "error",
            "message": f"{type(error).__name__}: {error}",
            "traceback": traceback.format_exc(),
        }, {}
    return {"status": "done", **fields}, predictions


@contextmanager
def _warnings() -> Iterator[list[warnings.WarningMessage]]:
    """Keep what libraries warn the user of, for the record, instead of printing it among other trials' warnings."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for meant_for_developers in (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ImportWarning):
            warnings.simplefilter("ignore", meant_for_developers)
        yield warned
