"""What is done on inner folds of a training part, or on its validation part: choosing among candidates, calibrating."""

from raygrid.choosing.calibrated import calibrated
from raygrid.choosing.inner_folds import check_class_sizes, small_classes
from raygrid.choosing.outcomes import Outcomes
from raygrid.choosing.stage import choose

__all__ = ["Outcomes", "calibrated", "check_class_sizes", "choose", "small_classes"]
