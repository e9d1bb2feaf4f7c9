"""Classifiers: they are fitted to mixtures of training samples and predict labels of test samples.

A new classifier is one class in this package and one line here.
"""

from raygrid.classifiers.builder import BuiltNetwork
from raygrid.classifiers.classifier import Classifier, Fitted, Part
from raygrid.classifiers.cnn import Cnn
from raygrid.classifiers.estimator import Estimator
from raygrid.classifiers.fitting import curves_of, fit, predictions_of_each
from raygrid.classifiers.knn import Knn
from raygrid.classifiers.linear_probe import LinearProbe
from raygrid.classifiers.predicting import predictions
from raygrid.classifiers.svm import Svm

CLASSIFIERS: dict[str, type[Classifier]] = {
    "cnn": Cnn,
    "keras": BuiltNetwork,
    "svm": Svm,
    "linear_probe": LinearProbe,
    "knn": Knn,
    "sklearn": Estimator,
}

__all__ = ["CLASSIFIERS", "Classifier", "Fitted", "Part", "curves_of", "fit", "predictions", "predictions_of_each"]
