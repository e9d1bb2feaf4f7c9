"""Resampling: (X, y, seed) -> (A, y'), the mixing matrix of the resampled set and its labels.

A new resampler is one class and one line here.
"""

from raygrid.resampling.combine import SMOTEENN, SMOTETomek
from raygrid.resampling.over_sampling import ADASYN, SMOTE, SVMSMOTE, BorderlineSMOTE, KMeansSMOTE, RandomOverSampler
from raygrid.resampling.resampler import NoResampling, Resampler
from raygrid.resampling.under_sampling import (
    AllKNN,
    ClusterCentroids,
    CondensedNearestNeighbour,
    EditedNearestNeighbours,
    InstanceHardnessThreshold,
    NearMiss,
    NeighbourhoodCleaningRule,
    OneSidedSelection,
    RandomUnderSampler,
    RepeatedEditedNearestNeighbours,
    TomekLinks,
)

RESAMPLERS: dict[str, type[Resampler]] = {
    "none": NoResampling,
    "ros": RandomOverSampler,
    "rus": RandomUnderSampler,
    "smote": SMOTE,
    "smote_enn": SMOTEENN,
    "iht": InstanceHardnessThreshold,
    # The paper has no names for the others: they have those of imbalanced-learn's classes.
    "BorderlineSMOTE": BorderlineSMOTE,
    "SVMSMOTE": SVMSMOTE,
    "KMeansSMOTE": KMeansSMOTE,
    "ADASYN": ADASYN,
    "NearMiss": NearMiss,
    "TomekLinks": TomekLinks,
    "EditedNearestNeighbours": EditedNearestNeighbours,
    "RepeatedEditedNearestNeighbours": RepeatedEditedNearestNeighbours,
    "AllKNN": AllKNN,
    "NeighbourhoodCleaningRule": NeighbourhoodCleaningRule,
    "CondensedNearestNeighbour": CondensedNearestNeighbour,
    "OneSidedSelection": OneSidedSelection,
    "ClusterCentroids": ClusterCentroids,
    "SMOTETomek": SMOTETomek,
}

# The names of imbalanced-learn's classes for levels that are called otherwise: a grid may say either, a table says the
# name of the level.
ALIASES: dict[str, str] = {
    "RandomOverSampler": "ros",
    "RandomUnderSampler": "rus",
    "SMOTE": "smote",
    "SMOTEENN": "smote_enn",
    "InstanceHardnessThreshold": "iht",
}

# imbalanced-learn's other samplers, and why not.
REFUSED: dict[str, str] = {
    "SMOTENC": "mixes categories with numbers, and all features here are numbers; use smote",
    "SMOTEN": "mixes categories, and all features here are numbers; use smote",
    "FunctionSampler": "calls a function, which a grid file cannot hold; write a resampler of your own",
}

__all__ = ["ALIASES", "REFUSED", "RESAMPLERS", "NoResampling", "Resampler"]
