"""Resampling: (X, y, seed) -> (A, y'), the mixing matrix of the resampled set and its labels.

A new resampler is one class and one line here.
"""

from raygrid.resampling.combine import SMOTEENN, SMOTETomek
from raygrid.resampling.over_sampling import (
    ADASYN,
    SMOTE,
    SVMSMOTE,
    BorderlineSMOTE,
    KMeansSMOTE,
    RandomOverSampler,
)
from raygrid.resampling.resampler import Resampler
from raygrid.resampling.samplers import (
    Iht,
    NoResampling,
    RandomOversampling,
    RandomUndersampling,
    Smote,
    SmoteEnn,
)
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
    "ros": RandomOversampling,
    "rus": RandomUndersampling,
    "smote": Smote,
    "smote_enn": SmoteEnn,
    "iht": Iht,
    # imbalanced-learn's, by the names of its classes
    "RandomOverSampler": RandomOverSampler,
    "SMOTE": SMOTE,
    "BorderlineSMOTE": BorderlineSMOTE,
    "SVMSMOTE": SVMSMOTE,
    "KMeansSMOTE": KMeansSMOTE,
    "ADASYN": ADASYN,
    "RandomUnderSampler": RandomUnderSampler,
    "NearMiss": NearMiss,
    "TomekLinks": TomekLinks,
    "EditedNearestNeighbours": EditedNearestNeighbours,
    "RepeatedEditedNearestNeighbours": RepeatedEditedNearestNeighbours,
    "AllKNN": AllKNN,
    "NeighbourhoodCleaningRule": NeighbourhoodCleaningRule,
    "CondensedNearestNeighbour": CondensedNearestNeighbour,
    "OneSidedSelection": OneSidedSelection,
    "InstanceHardnessThreshold": InstanceHardnessThreshold,
    "ClusterCentroids": ClusterCentroids,
    "SMOTEENN": SMOTEENN,
    "SMOTETomek": SMOTETomek,
}

# imbalanced-learn's other samplers, and why not.
REFUSED: dict[str, str] = {
    "SMOTENC": "mixes categories with numbers, and all features here are numbers; use SMOTE",
    "SMOTEN": "mixes categories, and all features here are numbers; use SMOTE",
    "FunctionSampler": "calls a function, which a grid file cannot hold; write a resampler of your own",
}

__all__ = ["REFUSED", "RESAMPLERS", "NoResampling", "Resampler"]
