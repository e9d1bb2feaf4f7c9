"""A made-up study in the shape of the paper's: any number of cells, done in no time, with plausible numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from raygrid.cells import Cell, expand
from raygrid.gridfile.schema import Grid
from raygrid.metrics.confusion import METRICS
from raygrid.report.results import Results
from raygrid.storage.record import Measured, Record
from raygrid.storage.store import Store

CLASSES = {
    "mnist": [str(digit) for digit in range(10)],
    "digits": [str(digit) for digit in range(10)],
    "cifar10": ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
    "stl10": ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"],
}
RECALL = {"mnist": (0.99, 0.96), "digits": (0.97, 0.9), "cifar10": (0.87, 0.70), "stl10": (0.75, 0.52)}
GAIN = {"none": 0.0, "ros": 0.004, "rus": -0.06, "smote": 0.01, "smote_enn": -0.1, "iht": -0.08}
LEVELLED = {"none": 0.0, "ros": 0.2, "rus": 0.8, "smote": 0.5, "smote_enn": 0.6, "iht": 0.7}  # of the lean to the large
VERSIONS = {"python": "3.12.1", "keras_backend": "tensorflow", "raygrid": "0.1.0", "numpy": "2.4.6"}

OF_TWO_CLASSES: dict[str, Any] = {
    "confusion": [[1, 0], [0, 1]],
    "class_names": ["猫", "犬"],
    "class_order": [0, 1],
    "class_counts": {"train": [1, 1], "test": [1, 1]},
}
"""The parts of a done record that must fit each other."""

GRID = """\
# Made up.
name: paper
seed: 2020
datasets: [mnist, cifar10, stl10]
"""


def grid(**changes: Any) -> Grid:
    """The paper's grid, some of it changed."""
    arms = [
        {"representation": "image", "classifier": "cnn", "resamplers": list(GAIN)},
        {"representation": "features", "classifier": "svm", "resamplers": ["none", "smote", "smote_enn", "iht"]},
    ]
    declared = {"name": "paper", "seed": 2020, "datasets": ["mnist", "cifar10", "stl10"], "arms": arms}
    return Grid.model_validate(declared | changes)


def record(cell: Cell, rng: np.random.Generator) -> Record:
    """A done cell: its confusion matrix made up, the metrics computed from it."""
    order = np.random.default_rng(cell.fold).permutation(10)
    sizes = np.array(cell.imbalance.kept([200] * 10 if cell.imbalance.ratio else range(200, 100, -10)))
    ratio = sizes.max() / sizes.min()
    counts = np.empty(10, dtype=int)
    counts[order] = sizes
    is_svm, resampler = cell.classifier.name == "svm", cell.resampler.name
    lean = (0.35 if is_svm else 0.12) * (1 - LEVELLED[resampler]) * np.log10(cell.imbalance.ratio or ratio)
    level = RECALL[cell.dataset.name][is_svm] + GAIN[resampler] * (2 if is_svm else 1) + rng.normal(0, 0.006)
    recall = np.empty(10)
    recall[order] = np.clip(level - lean * (np.arange(10) / 9 - 0.3) + rng.normal(0, 0.02, 10), 0.02, 0.998)
    confusion = np.zeros((10, 10), dtype=np.int64)
    for i in range(10):
        wrong = counts * (np.abs(np.arange(10) - i) + 1.0) ** -1 * (np.arange(10) != i)
        confusion[i] = rng.multinomial(counts[i], recall[i] * np.eye(10)[i] + (1 - recall[i]) * wrong / wrong.sum())
    fit = (900 if cell.classifier.name == "cnn" else 20) * (1 if resampler in ("none", "rus") else 1.8)
    seconds = {"split": 0.02, "resample": 30 * len(resampler) / 9, "fit": fit, "predict": fit / 12}
    return Record(
        key=cell.key,
        cell=cell.identity(),
        status="done",
        metrics={name: metric(confusion) for name, metric in METRICS.items()},
        confusion=confusion.tolist(),
        class_names=CLASSES[cell.dataset.name],
        class_order=order.tolist(),
        class_counts={"train": (5 * counts).tolist(), "resampled": [1000] * 10, "test": counts.tolist()},
        ir=float(ratio),
        versions=VERSIONS,
        measured=measured(seconds),
    )


def measured(seconds: Mapping[str, float]) -> Measured:
    return Measured(finished_at="2026-11-23T13:59:42+00:00", seconds=dict(seconds), peak_memory_mb=812.5)


def failed(cell: Cell, status: Any, message: str, traceback: str | None = None) -> Record:
    """A cell that is not done."""
    return Record(
        key=cell.key,
        cell=cell.identity(),
        status=status,
        message=message,
        traceback=traceback,
        versions=VERSIONS,
        measured=measured({"split": 0.02}),
    )


def statuses(store: Store) -> dict[str, str]:
    """What became of every cell that the store has a record of, by key."""
    return {key: record.status for key, record in store.records().items()}


def results(cells: Sequence[Cell], records: Sequence[Record], **changes: Any) -> Results:
    """What a store with these records says of these cells."""
    given = {"name": "paper", "metrics": tuple(METRICS), "grid_text": GRID, "environment": {"cpus": 2}} | changes
    return Results(cells=cells, records={record.key: record for record in records}, **given)


def study(**changes: Any) -> Results:
    """A finished grid; `changes` as of `grid`."""
    cells, rng = expand(grid(**changes)), np.random.default_rng(0)
    return results(cells, [record(cell, rng) for cell in cells])


def unfinished(**changes: Any) -> Results:
    """The same, stopped early: of each 20 cells one is missing; IHT is infeasible on stl10 at IR 10; some failed."""
    cells, rng = expand(grid(**changes)), np.random.default_rng(0)
    records = []
    for i, cell in enumerate(cells):
        if cell.dataset.name == "stl10" and cell.imbalance.ir == 10 and cell.resampler.name == "iht":
            records.append(failed(cell, "infeasible", "iht: got class 3 with no samples left; expected some"))
        elif i % 97 == 5:
            text = 'Traceback (most recent call last):\n  File "svm.py", line 3, in fit\nValueError: odd & <b>bold</b>'
            records.append(failed(cell, "error", "ValueError: odd & <b>bold</b>", text))
        elif i % 89 == 7:
            records.append(failed(cell, "oom", "ResourceExhaustedError: failed to allocate memory"))
        elif i % 20 != 3:
            records.append(record(cell, rng))
    return results(cells, records)


LARGE = {
    "datasets": ["mnist", "cifar10", "stl10", "digits"],
    "folds": 25,
    "imbalance_ratios": [1.5, 2, 3, 5, 8, 10, 15, 20, 30, 50],
}
"""The changes that make 10,000 cells."""
