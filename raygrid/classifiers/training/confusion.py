"""The confusion matrix of an epoch's training batches, counted while they are trained on."""

from collections.abc import Callable
from functools import cache
from typing import Any

from raygrid.networks.keras_backend import load_keras


def confusion_metric(n_classes: int, labels_of: Callable[[Any], Any]) -> Any:
    """Return a Keras metric whose `counts` are a matrix: rows are true classes, columns predicted ones.

    Parameters
    ----------
    labels_of : callable
        Returns the labels, a tensor of shape (n,), of a batch of the targets that the loss gets.
    """
    return _metric_class()(n_classes, labels_of)


@cache
def _metric_class() -> Any:
    keras = load_keras()
    ops = keras.ops

    class Confusion(keras.metrics.Metric):  # type: ignore[name-defined,misc]
        def __init__(self, n_classes: int, labels_of: Callable[[Any], Any]) -> None:
            super().__init__(name="accuracy")
            self.n_classes, self.labels_of = n_classes, labels_of
            self.counts = self.add_weight(shape=(n_classes, n_classes), initializer="zeros", name="counts")

        def update_state(self, y: Any, p: Any, sample_weight: Any = None) -> None:
            true = ops.one_hot(ops.cast(self.labels_of(y), "int32"), self.n_classes, dtype="float32")
            predicted = ops.one_hot(ops.argmax(p, axis=-1), self.n_classes, dtype="float32")
            self.counts.assign_add(ops.matmul(ops.transpose(true), predicted))

        def result(self) -> Any:
            return ops.trace(self.counts) / ops.maximum(ops.sum(self.counts), 1.0)

    return Confusion
