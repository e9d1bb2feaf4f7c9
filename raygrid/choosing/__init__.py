"""Choosing among the candidates of a cell: on inner folds of its training part or on its validation part."""

from raygrid.choosing.inner_folds import check_class_sizes, small_classes
from raygrid.choosing.progress import Progress
from raygrid.choosing.stage import choose

__all__ = ["Progress", "check_class_sizes", "choose", "small_classes"]
