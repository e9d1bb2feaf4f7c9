"""Skew-insensitive metrics of a confusion matrix. Pure.

References
----------
Branco, Torgo, Ribeiro (2017), Relevance-based evaluation metrics for multi-class imbalanced domains, PAKDD.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Confusion = NDArray[np.int64]


def confusion_matrix(y_true: NDArray[np.int64], y_pred: NDArray[np.int64], n_classes: int) -> Confusion:
    """Return the counts of (true class, predicted class).

    Returns
    -------
    array of shape (n_classes, n_classes), int64
        Rows are true classes, columns predicted ones.

    Raises
    ------
    ValueError
        The predictions are not one label 0 .. n_classes - 1 a sample.
    """
    predicted = checked_labels(y_pred, len(y_true), n_classes)
    cells = np.bincount(y_true * n_classes + predicted, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes).astype(np.int64)


def checked_labels(y_pred: Any, n_samples: int, n_classes: int) -> NDArray[Any]:
    """Return predictions as an array; raise ValueError if they are not one label 0 .. n_classes - 1 a sample."""
    found = np.asarray(y_pred)
    if found.shape != (n_samples,) or not np.issubdtype(found.dtype, np.integer):
        values = sorted(found.tolist(), key=_is_whole) if found.shape == (n_samples,) else []
        example = f", such as {values[0]!r}" if values else ""
        got = f"{found.dtype} of shape {found.shape}{example}"
        raise ValueError(f"predict: got {got}; expected {n_samples} whole numbers, one a sample")
    wrong = found[(found < 0) | (found >= n_classes)]
    if len(wrong):
        raise ValueError(f"predict: got label {wrong[0]}; expected labels 0 to {n_classes - 1}")
    return found


def _is_whole(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def recall(confusion: Confusion) -> NDArray[np.float64]:
    """Return the recall of each class, in [0, 1]; a class without test samples has none and is refused.

    Raises
    ------
    ValueError
        A row of the matrix is empty.
    """
    support = confusion.sum(axis=1)
    if not support.all():
        raise ValueError(
            f"confusion matrix: got no samples of class {int(support.argmin())}; expected some of every class"
        )
    return np.asarray(np.diag(confusion) / support, dtype=np.float64)


def average_accuracy(confusion: Confusion) -> float:
    """Return AvAcc, the mean of the classes' recall, in [0, 1] (equation (3) of the paper)."""
    return float(recall(confusion).mean())


def class_balance_accuracy(confusion: Confusion) -> float:
    """Return CBA, the mean of m_ii / max(row sum, column sum), in [0, 1] (equation (4) of the paper)."""
    larger = np.maximum(confusion.sum(axis=0)[: len(confusion)], confusion.sum(axis=1))
    return float((np.diag(confusion) / larger).mean())


def geometric_average_of_recall(confusion: Confusion) -> float:
    """Return MAvG, the geometric mean of recall, unsmoothed, in [0, 1] (equation (5) of the paper).

    One class that is never recognised makes it 0.
    """
    recalls = recall(confusion)
    product = recalls.prod()
    if recalls.min() > 0 and product < np.finfo(np.float64).tiny:  # of hundreds of classes
        return float(np.exp(np.log(recalls).mean()))
    return float(product ** (1 / len(confusion)))


def of_classes_present(confusion: Confusion) -> Confusion:
    """Return the matrix without the rows of classes that have no samples, of which every metric can be computed.

    Returns
    -------
    array of shape (n_present, n_classes), int64
        The columns of the classes that are present come first, in the order of the rows.
    """
    present = confusion.any(axis=1)
    return confusion[present][:, np.argsort(~present, kind="stable")]


def metrics_of(confusion: Confusion) -> dict[str, float]:
    """Return every metric of a confusion matrix, by name."""
    return {name: metric(confusion) for name, metric in METRICS.items()}


METRICS: dict[str, Callable[[Confusion], float]] = {
    "AvAcc": average_accuracy,
    "CBA": class_balance_accuracy,
    "MAvG": geometric_average_of_recall,
}
