"""Classifiers: fit on a mixture of training samples, predict labels of test samples.

A new classifier is one class in this package and one line here.
"""

from raygrid.classifiers.classifier import Classifier, Fitted
from raygrid.classifiers.cnn import Cnn
from raygrid.classifiers.svm import Svm

CLASSIFIERS: dict[str, type[Classifier]] = {"cnn": Cnn, "svm": Svm}

__all__ = ["CLASSIFIERS", "Classifier", "Fitted"]
