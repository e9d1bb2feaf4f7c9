"""Resampling: (X, y, seed) -> (A, y'), the mixing matrix of the resampled set A X, and its labels.

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

# Names of imbalanced-learn's classes whose level has another name. A grid file may use both; tables use the level's.
ALIASES: dict[str, str] = {
    "RandomOverSampler": "ros",
    "RandomUnderSampler": "rus",
    "SMOTE": "smote",
    "SMOTEENN": "smote_enn",
    "InstanceHardnessThreshold": "iht",
}

# imbalanced-learn's other samplers, and why raygrid does not offer them.
REFUSED: dict[str, str] = {
    "SMOTENC": "mixes categories with numbers, and all features here are numbers; use smote",
    "SMOTEN": "mixes categories, and all features here are numbers; use smote",
    "FunctionSampler": "calls a function, which a grid file cannot hold; write a resampler of your own",
}

__all__ = ["ALIASES", "REFUSED", "RESAMPLERS", "NoResampling", "Resampler"]
