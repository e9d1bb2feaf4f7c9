"""imbalanced-learn's samplers by their names: all of them, their parameters, and what they give, sample for sample."""

import pickle
from contextlib import nullcontext
from dataclasses import replace
from inspect import signature
from pathlib import Path
from types import SimpleNamespace

import imblearn
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imblearn import combine, over_sampling, under_sampling
from imblearn.utils import check_sampling_strategy
from in_memory import train_samples
from real_tables import imbalanced
from scipy.sparse import csr_array, eye_array
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from raygrid.cells import expand
from raygrid.commands.selection import select
from raygrid.errors import GridError, InfeasibleError
from raygrid.gridfile.faults import load_grid
from raygrid.mixtures.mixing import mix
from raygrid.resampling import ALIASES, REFUSED, RESAMPLERS
from raygrid.resampling.neighbours import MixtureNeighbours
from raygrid.resampling.on_samples import OnSamples, dense
from raygrid.storage.store import Store

# NearMiss 3 and k-means say what the tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:The number of the samples to be", "ignore:Number of distinct clusters")

SEED = 20
THEIRS = {
    name: getattr(module, name)
    for module in (imblearn, over_sampling, under_sampling, combine)
    for name in module.__all__
    if name[0].isupper() and hasattr(getattr(module, name), "fit_resample")  # a module would be loaded, TensorFlow even
}

# Levels of raygrid, by the names of imbalanced-learn's classes: some have names of their own as well.
OURS = {type_.__name__: type_ for type_ in RESAMPLERS.values() if type_.__name__ in THEIRS}

# Parameters that a grid file does not have: what a cell or a trial decides, and what is no plain value.
DECIDED = {"random_state", "n_jobs"}
OBJECTS = {"estimator", "svm_estimator", "edited_nearest_neighbours", "smote", "enn", "tomek", "shrinkage"}
# A combination's parts are spelled out instead.
OF_PARTS = {"SMOTEENN": {"k_neighbors", "n_neighbors", "kind_sel"}, "SMOTETomek": {"k_neighbors"}}


def test_every_sampler_is_supported_or_refused_with_a_reason():
    assert set(OURS) | set(REFUSED) == set(THEIRS)
    assert not set(OURS) & set(REFUSED)
    assert all(REFUSED.values())


@pytest.mark.parametrize("name", OURS)
def test_parameters_and_defaults_are_theirs(name):
    theirs = {key: parameter.default for key, parameter in signature(THEIRS[name]).parameters.items()}
    ours = OURS[name]().model_dump(exclude={"name"})
    assert set(ours) - OF_PARTS.get(name, set()) == set(theirs) - DECIDED - OBJECTS
    assert {key: value for key, value in ours.items() if key in theirs and value != theirs[key]} == {}


@pytest.mark.parametrize("name", OURS)
def test_a_choice_is_of_all_that_they_take(name):
    level = OURS[name]
    for key, options in THEIRS[name]._parameter_constraints.items():
        for theirs in (option.options for option in options if hasattr(option, "options")):
            for value in theirs if key in level.model_fields else []:
                assert level.model_validate({key: value})


def smote(**parameters):
    return over_sampling.SMOTE(random_state=SEED, **parameters)


# What is asked for beside the defaults, and theirs where it is spelled otherwise.
OTHERS = [
    ("RandomOverSampler", {"sampling_strategy": "minority"}, None),
    ("RandomUnderSampler", {"replacement": True, "sampling_strategy": "all"}, None),
    ("SMOTE", {"k_neighbors": 3, "sampling_strategy": "not minority"}, None),
    ("BorderlineSMOTE", {"kind": "borderline-2", "m_neighbors": 7}, None),
    ("SVMSMOTE", {"out_step": 0.2, "m_neighbors": 5, "k_neighbors": 3}, None),
    ("KMeansSMOTE", {"density_exponent": 2, "cluster_balance_threshold": 0.1}, None),
    ("KMeansSMOTE", {"kmeans_estimator": 3, "k_neighbors": 4}, None),
    ("ADASYN", {"n_neighbors": 8}, None),
    ("NearMiss", {"version": 2, "n_neighbors": 5}, None),
    ("NearMiss", {"version": 3, "n_neighbors_ver3": 6}, None),
    ("TomekLinks", {"sampling_strategy": "all"}, None),
    ("EditedNearestNeighbours", {"kind_sel": "mode", "n_neighbors": 5, "sampling_strategy": "all"}, None),
    ("RepeatedEditedNearestNeighbours", {"max_iter": 2, "kind_sel": "mode"}, None),
    ("AllKNN", {"allow_minority": True, "kind_sel": "mode"}, None),
    ("NeighbourhoodCleaningRule", {"n_neighbors": 5, "threshold_cleaning": 0.2}, None),
    ("CondensedNearestNeighbour", {"n_neighbors": 3, "n_seeds_S": 4}, None),
    ("OneSidedSelection", {"n_neighbors": 3, "n_seeds_S": 4}, None),
    ("ClusterCentroids", {"voting": "hard"}, None),
    (
        "SMOTEENN",
        {"k_neighbors": 3, "n_neighbors": 4, "kind_sel": "mode"},
        {
            "smote": smote(k_neighbors=3),
            "enn": under_sampling.EditedNearestNeighbours(sampling_strategy="all", n_neighbors=4, kind_sel="mode"),
        },
    ),
    ("SMOTETomek", {"k_neighbors": 3}, {"smote": smote(k_neighbors=3)}),
]
CASES = [*((name, {}, None) for name in OURS), *OTHERS]
IDS = [f"{name} {parameters or ''}".strip() for name, parameters, _ in CASES]


def theirs(name, parameters):
    seed = {"random_state": SEED} if "random_state" in signature(THEIRS[name]).parameters else {}
    return THEIRS[name](**seed, **parameters)


def check(name, parameters, spelled, table, ir):
    X, y = imbalanced(table, ir)
    A, y_resampled = OURS[name](**parameters).resample(train_samples(X), y, seed=SEED)
    X_theirs, y_theirs = theirs(name, spelled or parameters).fit_resample(X, y)
    assert y_resampled.tolist() == y_theirs.tolist()
    np.testing.assert_allclose(mix(A, X), X_theirs, rtol=0, atol=5e-7 * np.abs(X).max())
    assert isinstance(A, csr_array)
    assert (A.dtype, A.shape, y_resampled.dtype) == (np.float64, (len(y_theirs), len(X)), np.int64)
    np.testing.assert_allclose(A.sum(axis=1), 1, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("name", "parameters", "spelled"), CASES, ids=IDS)
def test_a_sampler_is_theirs(name, parameters, spelled):
    check(name, parameters, spelled, "wine", 3)


# Some take seconds; and to ADASYN some class of digits is too far from all others.
NOT_OF_DIGITS = {"KMeansSMOTE", "AllKNN", "CondensedNearestNeighbour", "InstanceHardnessThreshold", "ADASYN"}
OF_DIGITS = {id: case for id, case in zip(IDS, CASES, strict=True) if case[0] not in NOT_OF_DIGITS}


@pytest.mark.parametrize(("name", "parameters", "spelled"), OF_DIGITS.values(), ids=OF_DIGITS)
def test_a_sampler_is_theirs_on_ten_classes_of_digits(name, parameters, spelled):
    check(name, parameters, spelled, "digits", 10)


class Unreadable:
    """Samples of which nothing may be known but how many there are."""

    def __init__(self, X):
        self.shape = X.shape
        self.was_read = False

    def __getitem__(self, rows):
        self.was_read = True
        raise LookupError


@pytest.mark.parametrize("name", RESAMPLERS)
def test_a_resampler_reads_samples_if_and_only_if_it_says_so(name):
    X, y = imbalanced("wine", 3)
    level, given, asked = RESAMPLERS[name](), train_samples(X), []

    def tiles():
        asked.append(True)
        return given.tiles()

    unreadable = replace(given, X=Unreadable(X), tiles=tiles)
    try:
        level.resample(unreadable, y, seed=SEED)
    except LookupError:
        pass
    assert unreadable.X.was_read == (level.sees == "samples")
    assert not asked or level.sees != "labels"
    assert asked or level.sees != "inner products"


@pytest.mark.parametrize("name", OURS)
def test_the_seed_decides(name):
    X, y = imbalanced("wine", 3)
    (A, _), (again, _), (other, _) = (OURS[name]().resample(train_samples(X), y, seed=seed) for seed in (1, 1, 2))
    assert A.shape == again.shape and (A != again).nnz == 0
    if "random_state" not in signature(THEIRS[name]).parameters:
        assert A.shape == other.shape and (A != other).nnz == 0


def labels(*sizes):
    return np.repeat(np.arange(len(sizes)), sizes)


def blobs(y, apart=20):
    return (np.random.default_rng(0).normal(size=(len(y), 2)) + apart * y[:, None]).astype(np.float32)


INFEASIBLE = {
    "SMOTE": (labels(20, 9, 5), {}, "smote: got 5 samples of class 2; expected at least 6 (k_neighbors + 1)"),
    "BorderlineSMOTE": (labels(6, 4), {}, "BorderlineSMOTE: got 10 samples of all classes"),
    "ADASYN": (
        labels(20, 9),
        {},
        "ADASYN: got classes of 9 to 20 samples; imbalanced-learn: Not any neigbours",
    ),
    "SMOTEENN": (labels(20, 5), {}, "smote_enn: got 5 samples of class 1; expected at least 6 (k_neighbors + 1)"),
    "SMOTETomek": (labels(20, 5), {}, "SMOTETomek: got 5 samples of class 1; expected at least 6 (k_neighbors + 1)"),
    "NearMiss": (labels(20, 2), {}, "NearMiss: got 2 samples of class 1; expected at least 3 (n_neighbors)"),
    "KMeansSMOTE": (
        labels(30, 3),
        {},
        "KMeansSMOTE: got classes of 3 to 30 samples; imbalanced-learn: No clusters",
    ),
    "KMeansSMOTE, few": (
        labels(4, 3),
        {},
        "KMeansSMOTE: got 7 samples of all classes; expected at least 8 (clusters: kmeans_estimator)",
    ),
    "InstanceHardnessThreshold": (
        labels(4, 2),
        {},
        "iht: got at most 4 samples a class; expected at least 5 (cv)",
    ),
    "SMOTE, a ratio for three classes": (
        labels(20, 9, 8),
        {"sampling_strategy": 0.5},
        'smote: got classes of 8 to 20 samples; imbalanced-learn: "sampling_strategy" can be a float only when',
    ),
    "RandomOverSampler, fewer than there are": (
        labels(20, 9),
        {"sampling_strategy": {1: 8}},
        "ros: got classes of 9 to 20 samples; imbalanced-learn: With over-sampling methods, the number",
    ),
    "RandomUnderSampler, a class that is not there": (
        labels(20, 9),
        {"sampling_strategy": {2: 8}},
        "rus: got classes of 9 to 20 samples; imbalanced-learn: The {2} target class is/are not present",
    ),
    "OneSidedSelection": (
        labels(9, 2),
        {"n_neighbors": 6},
        "OneSidedSelection: got 3 samples of class 1 and seeds (n_seeds_S); expected at least 6 (n_neighbors)",
    ),
    "OneSidedSelection, all of them seeds": (
        labels(3, 2),
        {"n_seeds_S": 20},
        "OneSidedSelection: got classes of 2 to 3 samples; imbalanced-learn: Found array with 0 sample(s)",
    ),
}


@pytest.mark.parametrize("case", INFEASIBLE)
def test_what_no_repetition_can_compute_is_infeasible(case):
    y, parameters, message = INFEASIBLE[case]
    with pytest.raises(InfeasibleError) as refused:
        OURS[case.partition(",")[0]](**parameters).resample(train_samples(blobs(y)), y, seed=0)
    assert str(refused.value).startswith(message)


# Class sizes that a sampler refuses, what it says, and sizes that are just large enough.
NEEDS = {
    ("ADASYN", 5): ("got 5 samples of class 1; expected at least 6 (n_neighbors + 1)", (20, 5), (20, 6)),
    ("ADASYN", 2): ("got 2 samples of class 2; expected at least 3 (n_neighbors + 1)", (20, 9, 2), (20, 9, 3)),
    ("BorderlineSMOTE", None): (
        "got 10 samples of all classes; expected at least 11 (m_neighbors + 1)",
        (6, 4),
        (7, 6),
    ),
    ("SVMSMOTE", None): ("got 5 samples of class 1; expected at least 6 (k_neighbors + 1)", (30, 5), (30, 6)),
    ("KMeansSMOTE", None): ("got 2 samples of class 1; expected at least 3 (k_neighbors + 1)", (30, 2), (30, 25)),
    ("NearMiss", 4): ("got 3 samples of class 1; expected at least 4 (n_neighbors)", (9, 3), (9, 4)),
    ("EditedNearestNeighbours", 5): (
        "got 5 samples of all classes; expected at least 6 (n_neighbors + 1)",
        (3, 2),
        (4, 2),
    ),
    ("RepeatedEditedNearestNeighbours", 5): (
        "got 5 samples of all classes; expected at least 6 (n_neighbors + 1)",
        (4, 1),
        (5, 1),
    ),
    ("NeighbourhoodCleaningRule", 5): (
        "got 5 samples of all classes; expected at least 6 (n_neighbors + 1)",
        (3, 2),
        (4, 2),
    ),
    ("CondensedNearestNeighbour", 3): (
        "got 2 samples of class 1 and seeds (n_seeds_S); expected at least 3 (n_neighbors)",
        (9, 1),
        (9, 2),
    ),
    ("OneSidedSelection", None): (
        "got 1 samples of class 2; expected at least 2 (a seed of n_seeds_S, and another)",
        (9, 1, 1),
        (9, 2, 1),
    ),
}


@pytest.mark.parametrize(("name", "n_neighbors"), NEEDS)
def test_sizes_that_are_refused_before_a_run_are_refused_in_it_and_no_others(name, n_neighbors):
    level = OURS[name](**({} if n_neighbors is None else {"n_neighbors": n_neighbors}))
    message, few, enough = NEEDS[name, n_neighbors]
    with pytest.raises(InfeasibleError) as refused:
        level.check_sizes(labels(*few))
    assert str(refused.value) == message
    for apart in (0, 1, 20):
        with pytest.raises(InfeasibleError):
            level._fit(train_samples(blobs(labels(*few), apart)), labels(*few), 0)
    level.check_sizes(labels(*enough))
    level._fit(train_samples(blobs(labels(*enough), 0.1)), labels(*enough), 0)


def test_support_vectors_that_are_all_noise_are_infeasible():
    y, majority = labels(60, 5), blobs(labels(60))
    X = np.concatenate([majority, majority[:5] + 1e-3])
    with pytest.raises(InfeasibleError, match=r"^SVMSMOTE: got classes of 5 to 60 samples; .* considered as noise"):
        OURS["SVMSMOTE"](k_neighbors=2, m_neighbors=1).resample(train_samples(X), y, seed=0)


def test_one_new_sample_for_many_alike_is_infeasible():
    y = labels(7, 6)
    with pytest.raises(InfeasibleError, match=r"^ADASYN: got classes of 6 to 7 samples; .* No samples will be"):
        OURS["ADASYN"]().resample(train_samples(blobs(y, apart=0)), y, seed=0)


def test_fewer_different_samples_than_clusters_are_infeasible():
    y = labels(9, 4)
    X = np.repeat(blobs(labels(3, 2)), [3, 3, 3, 2, 2], axis=0)
    with pytest.raises(InfeasibleError) as refused:
        OURS["ClusterCentroids"]().resample(train_samples(X), y, seed=0)
    assert str(refused.value) == "ClusterCentroids: got 3 different samples; expected at least 4 (clusters)"


def test_a_cluster_of_identical_images_is_infeasible():
    y = labels(20, 13, 10)
    X = np.zeros((43, 3), np.float32)
    with pytest.raises(InfeasibleError, match=r"^KMeansSMOTE: .*imbalanced-learn: cannot convert float NaN to integer"):
        OURS["KMeansSMOTE"]().resample(train_samples(X), y, seed=0)


STRATEGIES = {
    "a ratio": ("SMOTE", 0.75, [20, 15]),
    "one is a ratio": ("RandomUnderSampler", 1, [9, 9]),
    "a number for a class": ("SMOTE", {1: 12}, [20, 12]),
    "numbers for both": ("RandomOverSampler", {0: 25, 1: 30}, [25, 30]),
    "a number for the larger": ("NearMiss", {0: 10}, [10, 9]),
    "the same to combine": ("SMOTETomek", {1: 14}, [20, 14]),
}


@pytest.mark.parametrize(("name", "strategy", "counts"), STRATEGIES.values(), ids=STRATEGIES)
def test_a_strategy_can_be_a_ratio_or_numbers_of_samples(name, strategy, counts):
    y = labels(20, 9)
    level = OURS[name](sampling_strategy=strategy)
    _, y_resampled = level.resample(train_samples(blobs(y)), y, seed=0)
    assert np.bincount(y_resampled).tolist() == counts
    theirs_resampled = theirs(name, {"sampling_strategy": strategy}).fit_resample(blobs(y), y)[1]
    assert np.bincount(theirs_resampled).tolist() == counts


def test_a_strategy_is_a_parameter_of_the_level_that_its_default_does_not_show():
    level = OURS["SMOTE"](sampling_strategy={1: 12, 0: 20})
    assert level == OURS["SMOTE"](sampling_strategy={0: 20, 1: 12})
    assert len({level, OURS["SMOTE"](sampling_strategy={0: 20, 1: 12}), OURS["SMOTE"]()}) == 2
    assert level.identity() == {"name": "smote", "sampling_strategy": {"0": 20, "1": 12}, "k_neighbors": 5}
    assert OURS["SMOTE"]().identity() == {"name": "smote", "k_neighbors": 5}


def test_one_level_has_two_names(tmp_path):
    path = tmp_path / "grid.yaml"

    def cells(*names):
        path.write_text(GRID.replace("none, {level}", ", ".join(names)) + "exclude: [{resampler: SMOTEENN}]\n")
        return expand(grid := load_grid(path)), grid

    of_classes, grid = cells(*ALIASES)
    of_levels, _ = cells(*ALIASES.values())
    assert [cell.key for cell in of_classes] == [cell.key for cell in of_levels]
    assert {cell.resampler.name for cell in of_classes} == {*ALIASES.values()} - {"smote_enn"}
    selected = select(of_classes, ["resampler=SMOTE,iht"], grid.levels())
    assert {cell.resampler.name for cell in selected} == {"smote", "iht"}
    assert {name: RESAMPLERS[of].__name__ for name, of in ALIASES.items()} == {name: name for name in ALIASES}


def test_the_library_still_measures_clusters_by_the_method_that_is_replaced():
    theirs = over_sampling.KMeansSMOTE
    assert list(signature(theirs._find_cluster_sparsity).parameters) == ["self", "X"]
    assert "_find_cluster_sparsity" in theirs._fit_resample.__code__.co_names


def test_an_error_that_is_no_fact_of_the_data_stays_one(monkeypatch):
    def broken(*_):
        raise ValueError("The 'n_neighbors' parameter of SMOTE must be an int")

    monkeypatch.setattr(over_sampling.SMOTE, "fit_resample", broken)
    y = labels(9, 7)
    with pytest.raises(ValueError, match="must be an int"):
        OURS["SMOTE"]().resample(train_samples(blobs(y)), y, seed=0)


GRID = """\
name: small
datasets: [digits]
arms:
  - representation: features
    classifier: svm
    resamplers: [none, {level}]
"""
FAULTS = {
    "{name: TomekLinks, n_neighbors: 3}": ".n_neighbors: unknown key: got 'n_neighbors'; expected one of name, ",
    "{name: NearMiss, version: 4}": ".version: got '4'; expected one of 1, 2, 3",
    "{name: SMOTE, k_neighbors: five}": ".k_neighbors: got 'five'; expected a whole number",
    "{name: SVMSMOTE, out_step: 2}": ".out_step: got 2; ",
    "{name: SMOTE, sampling_strategy: majority}": ".sampling_strategy: got 'majority'; expected one of auto, ",
    "{name: SMOTE, sampling_strategy: 2}": ".sampling_strategy: got 2; expected one of auto, minority, not minority, "
    "not majority, all, a ratio above 0 and at most 1, a mapping from class (0, 1, ...) to number of samples",
    "{name: SMOTE, sampling_strategy: {a: 2}}": ".sampling_strategy: got {'a': 2}; expected one of auto, ",
    "{name: SMOTE, sampling_strategy: {}}": ".sampling_strategy: got {}; expected one of auto, ",
    "{name: TomekLinks, sampling_strategy: 0.5}": ".sampling_strategy: got '0.5'; expected one of auto, majority, ",
    "{name: SMOTE, random_state: 1}": ".random_state: unknown key: got 'random_state'; expected one of name, ",
    "SMOTENC": ": got 'SMOTENC', which mixes categories with numbers",
    "FunctionSampler": ": got 'FunctionSampler', which calls a function",
    "BorderlineSmote": ": got 'BorderlineSmote'; expected one of none, ",
}


@pytest.mark.parametrize(("level", "message"), FAULTS.items(), ids=FAULTS)
def test_a_wrong_parameter_is_a_fault_of_the_file(tmp_path, level, message):
    path = tmp_path / "grid.yaml"
    path.write_text(GRID.replace("{level}", level))
    with pytest.raises(GridError) as refused:
        load_grid(path)
    assert str(refused.value).startswith(f"{path}:6:")
    assert f": arms[0].resamplers[1]{message}" in str(refused.value)


def test_several_in_one_grid(raygrid, grid_file, tiny, tmp_path):
    arm = tiny["arms"][0] | {
        "resamplers": [
            "TomekLinks",
            {"name": "NearMiss", "version": 2},
            {"name": "BorderlineSMOTE", "k_neighbors": 3},
            "ClusterCentroids",
            {"name": "SMOTE", "k_neighbors": 11},  # the smallest class has 11 samples
        ]
    }
    grid = grid_file(arms=[arm], folds=1, imbalance_ratios=[10])
    assert raygrid("run", grid, "--store", tmp_path / "store", "--engine", "inline")[0] == 0
    records = Store(tmp_path / "store").records()
    found = {record.cell["resampler"]["name"]: (record.status, record.message) for record in records.values()}
    assert found.pop("smote") == (
        "infeasible",
        "smote: got 11 samples of class 8; expected at least 12 (k_neighbors + 1)",
    )
    assert found == dict.fromkeys(["TomekLinks", "NearMiss", "BorderlineSMOTE", "ClusterCentroids"], ("done", None))


def test_the_reference_says_what_is_not_available():
    reference = (Path(__file__).parents[1] / "docs" / "reference" / "levels.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in reference for name in REFUSED)


@pytest.fixture
def mixtures():
    X, y = imbalanced("wine", 3)
    step = np.random.default_rng(0).uniform(size=(len(X), 1))
    identity = eye_array(len(X), format="csr")
    return X, y, identity, csr_array(identity.multiply(1 - step) + identity[::-1].multiply(step))


@pytest.mark.parametrize("k", [None, 1, 7, 88])
def test_distances_between_mixtures(mixtures, k):
    X, _, identity, mixed = mixtures
    found, which = MixtureNeighbours(train_samples(X.astype(np.float64)), 3).fit(identity).kneighbors(mixed, k)
    distances, indices = NearestNeighbors(n_neighbors=3).fit(X).kneighbors(mixed @ X.astype(np.float64), k)
    assert which.tolist() == indices.tolist()
    np.testing.assert_allclose(found, distances, rtol=0, atol=1e-6)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_commonest_label_among_the_neighbours(mixtures, k):
    X, y, identity, mixed = mixtures
    found = MixtureNeighbours(train_samples(X.astype(np.float64)), k).fit(identity, y).predict(mixed)
    theirs = KNeighborsClassifier(n_neighbors=k).fit(X.astype(np.float64), y)
    assert found.tolist() == theirs.predict(mixed @ X.astype(np.float64)).tolist()


def fitted_to(A, y, *, before):
    """Return what naive Bayes learns among mixtures, as an estimator that has been fitted to other ones before."""
    X = train_samples(np.array([[0.0], [0.1], [10.0], [10.1]], np.float32))
    estimator = OnSamples(X, GaussianNB())
    return estimator.fit(*before).fit(A, y).estimator


def test_an_estimator_is_fitted_again_to_other_labels_and_to_other_shares():
    identity = eye_array(4, format="csr")
    first, second = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    assert fitted_to(identity, second, before=(identity, first)).class_prior_.tolist() == [0.25, 0.75]
    halved = csr_array(([0.5, 0.5] * 4, [0, 2] * 4, range(0, 9, 2)), shape=(4, 4))
    moved = csr_array(([0.25, 0.75] * 4, [0, 2] * 4, range(0, 9, 2)), shape=(4, 4))
    assert fitted_to(moved, first, before=(halved, first)).theta_.ravel().tolist() == [7.5, 7.5]


def test_an_estimator_is_not_fitted_to_the_same_twice():
    X, fits = train_samples(np.array([[0.0], [1.0]], np.float32)), []
    estimator = OnSamples(X, SimpleNamespace(fit=lambda *given: fits.append(given)))
    for _ in range(3):
        estimator.fit(eye_array(2, format="csr"), np.array([0, 1]))
    assert len(fits) == 1


def test_an_estimator_on_samples_can_be_pickled():
    estimator = OnSamples(np.eye(2), GaussianNB(var_smoothing=1))
    assert pickle.loads(pickle.dumps(estimator)).var_smoothing == 1


def test_rows_that_mix_samples_stand_for_mixtures():
    X = train_samples(np.array([[[0, 8]], [[4, 0]]], np.uint8))
    assert dense(X, csr_array([[0.5, 0.5], [0.25, 0.75]])).tolist() == [[2, 4], [3, 2]]
    selected = dense(X, csr_array([[0.0, 1.0], [1.0, 0.0]]))
    assert (selected.tolist(), selected.dtype) == ([[4, 0], [0, 8]], np.uint8)


@given(st.lists(st.integers(1, 20), min_size=2, max_size=6), st.integers(1, 20))
def test_smote_refuses_the_sizes_that_imbalanced_learn_would(sizes, k):
    y = np.repeat(range(len(sizes)), sizes)
    filled = {label for label, n in check_sampling_strategy("auto", y, "over-sampling").items() if n}
    is_refused = any(sizes[label] <= k for label in filled)
    with pytest.raises(InfeasibleError) if is_refused else nullcontext():
        RESAMPLERS["smote"](k_neighbors=k).check_sizes(y)
