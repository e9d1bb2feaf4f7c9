"""The one private part of imbalanced-learn that raygrid replaces.

A sampler runs on the identity matrix, with estimators that compare the samples that the rows stand for. KMeansSMOTE,
however, measures the distances within a cluster in a private method, which would use the rows. So this method is
replaced by one that gets the samples. `tests/test_samplers.py` fails if the library changes it.
"""

from typing import Any

from raygrid.mixtures.samples import Samples
from raygrid.resampling.on_samples import dense


def measure_clusters_of_samples(kmeans_smote: Any, X: Samples) -> None:
    """Let imbalanced-learn's KMeansSMOTE measure clusters of the samples that its rows stand for."""
    sparsity_of = kmeans_smote._find_cluster_sparsity
    kmeans_smote._find_cluster_sparsity = lambda A: sparsity_of(dense(X, A))
