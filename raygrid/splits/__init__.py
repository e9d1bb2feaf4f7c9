"""Splits: which samples of a data set a fold trains on, and which it is tested on.

A new split is one class in this package and one line here.
"""

from raygrid.splits.split import Labelled, Parts, Split
from raygrid.splits.splits import Holdout, Official, StratifiedKFold

SPLITS: dict[str, type[Split]] = {"official": Official, "holdout": Holdout, "stratified_kfold": StratifiedKFold}

__all__ = ["SPLITS", "Holdout", "Labelled", "Official", "Parts", "Split", "StratifiedKFold"]
