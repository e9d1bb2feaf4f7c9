"""Every resampler is imbalanced-learn's, sample for sample, though it never sees more than a mixing matrix."""

import numpy as np
import pytest
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import EditedNearestNeighbours, InstanceHardnessThreshold, RandomUnderSampler
from in_memory import train_samples
from real_tables import imbalanced
from scipy.sparse import csr_array, eye_array
from sklearn.neighbors import NearestNeighbors

from raygrid.errors import InfeasibleError
from raygrid.mixtures.mixing import mix
from raygrid.resampling import RESAMPLERS, NoResampling, combine, over_sampling, under_sampling
from raygrid.resampling.neighbours import MixtureNeighbours

SEED = 20


def _enn(**parameters):
    return EditedNearestNeighbours(sampling_strategy="all", **parameters)


# A level, and what it must be equal to.
PAIRS = {
    "ros": (over_sampling.RandomOverSampler(), RandomOverSampler(random_state=SEED)),
    "rus": (under_sampling.RandomUnderSampler(), RandomUnderSampler(random_state=SEED)),
    "smote": (over_sampling.SMOTE(), SMOTE(random_state=SEED)),
    "smote, k 2": (over_sampling.SMOTE(k_neighbors=2), SMOTE(random_state=SEED, k_neighbors=2)),
    "smote_enn": (combine.SMOTEENN(), SMOTEENN(random_state=SEED)),
    "smote_enn, other parameters": (
        combine.SMOTEENN(k_neighbors=2, n_neighbors=4, kind_sel="mode"),
        SMOTEENN(
            random_state=SEED,
            smote=SMOTE(random_state=SEED, k_neighbors=2),
            enn=_enn(n_neighbors=4, kind_sel="mode"),
        ),
    ),
    "iht": (under_sampling.InstanceHardnessThreshold(), InstanceHardnessThreshold(random_state=SEED)),
    "iht, cv 3": (under_sampling.InstanceHardnessThreshold(cv=3), InstanceHardnessThreshold(random_state=SEED, cv=3)),
}


@pytest.mark.parametrize(("level", "theirs"), PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize(("name", "ir"), [("digits", 10), ("iris", 4), ("wine", 3)], ids=["digits", "iris", "wine"])
def test_a_resampler_is_imbalanced_learns(level, theirs, name, ir):
    X, y = imbalanced(name, ir)
    A, y_resampled = level.resample(train_samples(X), y, seed=SEED)
    X_theirs, y_theirs = theirs.fit_resample(X, y)
    assert y_resampled.tolist() == y_theirs.tolist()
    np.testing.assert_allclose(mix(A, X), X_theirs, rtol=0, atol=5e-7 * np.abs(X).max())


@pytest.mark.parametrize("level", [NoResampling(), *(level for level, _ in PAIRS.values())], ids=["none", *PAIRS])
def test_what_comes_out_is_a_mixing_matrix(level):
    X, y = imbalanced("iris", 4)
    A, y_resampled = level.resample(train_samples(X), y, seed=SEED)
    assert isinstance(A, csr_array)
    assert (A.dtype, A.shape) == (np.float64, (len(y_resampled), len(X)))
    assert y_resampled.dtype == np.int64
    np.testing.assert_allclose(A.sum(axis=1), 1, rtol=0, atol=1e-15)
    assert (A.data >= 0).all()
    assert set(np.diff(A.indptr)) <= ({1, 2} if level.name.startswith("smote") else {1})
    for row, label in zip(A, y_resampled, strict=True):
        assert (y[row.indices] == label).all()  # only samples of one class are mixed


@pytest.mark.parametrize(
    ("level", "counts"),
    [
        (NoResampling(), [33, 20, 14]),
        (over_sampling.RandomOverSampler(), [33, 33, 33]),
        (under_sampling.RandomUnderSampler(), [14, 14, 14]),
        (over_sampling.SMOTE(), [33, 33, 33]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_counts_after_resampling(level, counts):
    X, y = np.arange(134, dtype=np.float32).reshape(67, 2) ** 2, np.repeat([0, 1, 2], [33, 20, 14])
    assert np.bincount(level.resample(train_samples(X), y, seed=0)[1]).tolist() == counts


def test_no_resampling_is_the_identity():
    X, y = imbalanced("iris", 4)
    A, y_resampled = NoResampling().resample(train_samples(X), y, seed=0)
    assert (A != eye_array(len(X))).nnz == 0
    assert y_resampled.tolist() == y.tolist()


@pytest.mark.parametrize("name", [name for name in RESAMPLERS if name.islower() and name != "none"])
def test_the_seed_and_nothing_else_decides(name):
    X, y = imbalanced("iris", 4)
    level = RESAMPLERS[name]()
    (A, _), (again, _), (other, _) = (level.resample(train_samples(X), y, seed=seed) for seed in (1, 1, 2))
    assert A.shape == again.shape and (A != again).nnz == 0
    if name != "iht":  # the easiest samples can be the same whatever the forest
        assert A.shape != other.shape or (A != other).nnz > 0


@pytest.mark.parametrize("name", [name for name in RESAMPLERS if name != "ADASYN"])  # which needs classes that touch
def test_images_are_flattened_and_only_read(name):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [30, 20, 10])
    X = (rng.integers(0, 60, (60, 8, 8, 3)) + 80 * y[:, None, None, None]).astype(np.uint8)
    X.flags.writeable = False
    A, y_resampled = RESAMPLERS[name]().resample(train_samples(X), y, seed=0)
    flat, y_flat = RESAMPLERS[name]().resample(train_samples(X.reshape(60, -1).astype(np.float64)), y, seed=0)
    assert (A.shape == flat.shape) and (A != flat).nnz == 0
    assert y_resampled.tolist() == y_flat.tolist()
    assert mix(A, X).shape == (len(y_resampled), 8, 8, 3)


def labels(*sizes):
    return np.repeat(np.arange(len(sizes)), sizes)


def plane(y):
    """Samples of well separated classes."""
    return (np.random.default_rng(0).normal(size=(len(y), 2)) + 20 * y[:, None]).astype(np.float32)


INFEASIBLE = {
    "a class without k neighbours": (
        over_sampling.SMOTE(),
        labels(20, 9, 5),
        "smote: got 5 samples of class 2; expected at least 6 (k_neighbors + 1)",
    ),
    "the smallest class is named": (
        over_sampling.SMOTE(k_neighbors=2),
        labels(20, 1, 2),
        "smote: got 1 samples of class 1; expected at least 3 (k_neighbors + 1)",
    ),
    "the same before ENN": (
        combine.SMOTEENN(),
        labels(20, 9, 5),
        "smote_enn: got 5 samples of class 2; expected at least 6 (k_neighbors + 1)",
    ),
    "fewer samples than folds in every class": (
        under_sampling.InstanceHardnessThreshold(),
        labels(4, 2, 1),
        "iht: got at most 4 samples a class; expected at least 5 (cv)",
    ),
    "fewer samples in all than ENN needs": (
        combine.SMOTEENN(n_neighbors=10),
        labels(4, 4),
        "smote_enn: got 8 samples after SMOTE; expected at least 11 (n_neighbors + 1)",
    ),
}


@pytest.mark.parametrize(("level", "y", "message"), INFEASIBLE.values(), ids=INFEASIBLE)
def test_what_no_repetition_can_compute_is_infeasible(level, y, message):
    with pytest.raises(InfeasibleError) as refused:
        level.resample(train_samples(plane(y)), y, seed=0)
    assert str(refused.value) == message


FEASIBLE = {
    "six samples have five neighbours": (over_sampling.SMOTE(), labels(20, 9, 6), [20, 20, 20]),
    "one neighbour": (over_sampling.SMOTE(k_neighbors=1), labels(20, 2, 2), [20, 20, 20]),
    "classes already equal need no neighbours, however small": (over_sampling.SMOTE(), labels(3, 3, 3), [3, 3, 3]),
    "the same before ENN": (combine.SMOTEENN(n_neighbors=2), labels(3, 3, 3), [3, 3, 3]),
    "one class large enough for the folds (and all samples equally easy)": (
        under_sampling.InstanceHardnessThreshold(cv=5),
        labels(20, 5),
        [20, 5],
    ),
}


@pytest.mark.parametrize(("level", "y", "counts"), FEASIBLE.values(), ids=FEASIBLE)
def test_the_least_that_is_feasible(level, y, counts):
    assert np.bincount(level.resample(train_samples(plane(y)), y, seed=0)[1]).tolist() == counts


def on_a_line(*parts):
    """Samples a step apart on a line, a part far from the next; balanced, so that SMOTE adds none."""
    X = np.concatenate([1000 * i + np.arange(len(part)) for i, part in enumerate(parts)])
    return X[:, None].astype(np.float32), np.concatenate(parts)


@pytest.mark.parametrize(
    ("parts", "left"),
    [
        # Every sample of class 1 lies beside one of class 0, of which as many again lie by themselves.
        (([1, 1, 0] * 20, [0] * 20), {0}),
        (([1, 2] * 40, [0] * 40), {0}),
    ],
    ids=["one class", "two classes"],
)
def test_a_class_that_enn_removes_is_left_without_samples(parts, left):
    X, y = on_a_line(*parts)
    A, y_resampled = combine.SMOTEENN().resample(train_samples(X), y, seed=0)
    assert set(y_resampled) == left and A.shape[0] == len(y_resampled)


def smote_rows(n):
    """Sixty mixtures as SMOTE makes them."""
    rng = np.random.default_rng(1)
    step, mixed = rng.uniform(size=60), csr_array(np.zeros((60, n)))
    mixed = mixed.tolil()
    for row, (i, j) in enumerate(rng.integers(0, n, (60, 2))):
        mixed[row, i] += 1 - step[row]
        mixed[row, j] += step[row]
    return csr_array(mixed)


def rows(kind, n):
    return {"identity": eye_array(n, format="csr"), "some": eye_array(n, format="csr")[::3], "smote": smote_rows(n)}[
        kind
    ]


@pytest.mark.parametrize("queried", ["identity", "smote"])
@pytest.mark.parametrize("fitted", ["identity", "some", "smote"])
@pytest.mark.parametrize("k", [1, 4, 6])
def test_neighbours_are_those_of_the_mixed_samples(fitted, queried, k):
    X, _ = imbalanced("digits", 10)
    A, B = rows(fitted, len(X)), rows(queried, len(X))
    points, queries = (matrix @ X.astype(np.float64) for matrix in (A, B))
    found = MixtureNeighbours(train_samples(X), k).fit(A).kneighbors(B, return_distance=False)
    theirs = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points)
    assert found.tolist() == theirs.kneighbors(queries, return_distance=False).tolist()


def test_the_graph_has_a_one_for_each_neighbour():
    X = imbalanced("iris", 4)[0].astype(np.float64)
    A = eye_array(len(X), format="csr")
    ours = MixtureNeighbours(train_samples(X), 4).fit(A).kneighbors_graph(A)
    theirs = NearestNeighbors(n_neighbors=4).fit(X).kneighbors_graph(X)
    assert (ours != theirs).nnz == 0


def test_of_equally_near_samples_the_earlier_comes_first():
    places = np.random.default_rng(0).permutation(np.repeat(2 ** np.arange(20), 3))
    identity = eye_array(60, format="csr")
    neighbours = MixtureNeighbours(train_samples(places[:, None]), 6).fit(identity)
    found = neighbours.kneighbors(identity, return_distance=False)
    for place, nearest in zip(places, found, strict=True):
        assert nearest.tolist() == np.argsort(np.abs(places - place), kind="stable")[:6].tolist()


def test_bytes_do_not_overflow():
    X = np.array([[0, 0], [255, 255], [250, 250], [10, 0]], dtype=np.uint8)
    identity = eye_array(4, format="csr")
    neighbours = MixtureNeighbours(train_samples(X), 2).fit(identity)
    assert neighbours.kneighbors(identity, return_distance=False).tolist() == [
        [0, 3],
        [1, 2],
        [2, 1],
        [3, 0],
    ]
