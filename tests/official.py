"""The official training and test part of a data set, as arrays."""

from typing import Any, NamedTuple

from raygrid.datasets import Images


class Parts(NamedTuple):
    X_train: Any
    y_train: Any
    X_test: Any
    y_test: Any


def parts_of(images: Images) -> Parts:
    train, test = images.parts["train"], images.parts["test"]
    return Parts(images.X[train], images.y[train], images.X[test], images.y[test])
