"""The one private part of imbalanced-learn that raygrid replaces.

A sampler is run on the identity matrix, and what it compares rows with is handed to it as an estimator, which knows the
samples that the rows stand for. KMeansSMOTE measures how far apart the members of a cluster are in a method of its own,
which no parameter can replace: it would measure the rows. So the method is given samples instead.
`tests/test_samplers.py` fails when the library changes it.
"""

from typing import Any

from raygrid.mixtures.samples import Samples
from raygrid.resampling.on_samples import dense


def measure_clusters_of_samples(kmeans_smote: Any, X: Samples) -> None:
    """Let imbalanced-learn's KMeansSMOTE measure clusters of the samples that its rows stand for."""
    sparsity_of = kmeans_smote._find_cluster_sparsity
    kmeans_smote._find_cluster_sparsity = lambda A: sparsity_of(dense(X, A))
