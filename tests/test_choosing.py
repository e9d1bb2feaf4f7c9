"""Choosing among candidates: what scikit-learn would choose, by training samples alone, interrupted or not."""

from collections import Counter
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
from test_builder import module  # noqa: F401  a fixture

from raygrid import trial
from raygrid.cells import Cell, expand
from raygrid.choosing import check_class_sizes, outcomes, small_classes
from raygrid.choosing.inner_folds import inner_folds
from raygrid.classifiers import Classifier, resuming
from raygrid.datasets import DATASETS
from raygrid.errors import InfeasibleError
from raygrid.folds import fold_of
from raygrid.gridfile.schema import Grid
from raygrid.gridfile.validation import validated
from raygrid.host import Runtime
from raygrid.inputs import Inputs
from raygrid.resampling import Resampler
from raygrid.resampling.resampler import identity
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store

SVM = {"name": "svm", "C": {"choose": [0.1, 1, 10]}, "gamma": {"choose": ["scale", 1e-7]}}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """270 digits of 32 x 32 pixels, 168 of them to train on: classes of 20 to 2."""
    images = DATASETS["digits"]().load(32, "bilinear")
    sizes = {"train": [20] * 8 + [6, 2], "test": [12] * 8 + [3, 1]}
    rng = np.random.default_rng(0)
    pool = {part: [rng.permutation(np.flatnonzero(images.y == label)) for label in range(10)] for part in sizes}
    train = np.concatenate([pool["train"][label][:n] for label, n in enumerate(sizes["train"])])
    test = np.concatenate([pool["train"][label][-n:] for label, n in enumerate(sizes["test"])])
    index = rng.permutation(np.r_[train, test])
    parts = {"train": np.flatnonzero(np.isin(index, train)), "test": np.flatnonzero(np.isin(index, test))}
    cache = Cache(tmp_path_factory.mktemp("products"))
    return Inputs(images.X[index], images.y[index], images.class_names, parts, cache, "some digits")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store")
    store.prepare()
    return store


def cell_of(classifier: Any = SVM, resampler: Any = "none", representation: Any = "raw", **settings: Any) -> Cell:
    """The one cell of a grid; a classifier or resampler that is a level already is put into it."""
    levels = {name: one for name, one in (("classifier", classifier), ("resampler", resampler)) if hasattr(one, "text")}
    arm = {
        "representation": representation,
        "classifier": "svm" if "classifier" in levels else classifier,
        "resamplers": ["none" if "resampler" in levels else resampler],
    }
    grid = {"name": "one", "seed": 3, "folds": 1, "image_size": 32, "datasets": ["digits"], "arms": [arm]}
    context = {"folder": "nowhere"}  # a builder is looked for where Python looks
    (cell,) = expand(validated(Grid, grid | {"imbalance": ["natural"]} | settings, context))
    return replace(cell, **levels)


def without_the_smallest(inputs: Inputs) -> Inputs:
    """The samples of all classes but 9."""
    parts = {part: index[inputs.y[index] < 9] for part, index in inputs.parts.items()}
    return replace(inputs, parts=parts, class_names=inputs.class_names[:9], key="nine classes")


def run(cell: Cell, inputs: Inputs, store: Store, attempt: str = "") -> Any:
    return trial.run(cell, inputs, store, runtime=Runtime(1), attempt=attempt)


def predicted(cell: Cell, store: Store) -> dict[str, Any]:
    with np.load(store.root / "predictions" / f"{cell.key}.npz", allow_pickle=False) as kept:
        return dict(kept)


class Saying(Classifier):
    """Predicts one class, or fails as it is told; counts its fits."""

    takes: ClassVar[Literal["images", "vectors"]] = "vectors"
    name: str = "saying"
    says: int | str = 0
    fits: ClassVar[list[Any]] = []

    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any:
        self.fits.append(self.says)
        if self.says == "interrupt" and Counter(self.fits)["interrupt"] == 2:
            raise KeyboardInterrupt
        if self.says == "infeasible":
            raise InfeasibleError("saying: got too few samples")
        if self.says == "memory":
            raise MemoryError("no room")
        if self.says == "value":
            raise ValueError("got 3")
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.says if isinstance(self.says, int) else 1)


class Dropping(Resampler):
    """Removes a class."""

    name: str = "dropping"
    label: int = 0

    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        kept = np.flatnonzero(y != self.label)
        return identity(y)[kept], y[kept]


def saying(*says: int | str) -> Saying:
    Saying.fits.clear()
    levels = [Saying(says=each) for each in says]
    return levels[0].model_copy().with_candidates(levels, [("says",)])


SAMPLERS = {"none": None, "rus": RandomUnderSampler, "smote": SMOTE}


@pytest.mark.parametrize("resampler", SAMPLERS)
def test_the_choice_is_that_of_a_grid_search_over_a_pipeline(inputs, store, resampler):
    ks = {"k_neighbors": [1, 2]} if resampler == "smote" else {}
    cell = cell_of(resampler={"name": resampler} | {name: {"choose": values} for name, values in ks.items()})
    large = without_the_smallest(inputs)
    record = run(cell, large, store)
    train = large.parts["train"]
    X, y = large.X[train].reshape(len(train), -1).astype(float), large.y[train]
    sampler = SAMPLERS[resampler] and SAMPLERS[resampler](random_state=cell.seed_of("resample"))
    search = GridSearchCV(
        Pipeline([("resampler", sampler or "passthrough"), ("svc", SVC())]),
        {"svc__C": [0.1, 1, 10], "svc__gamma": ["scale", 1e-7]} | {f"resampler__{name}": ks[name] for name in ks},
        scoring="balanced_accuracy",
        cv=list(inner_folds(cell, y)),
    ).fit(X, y)
    theirs = {
        (each["svc__C"], each["svc__gamma"], each.get("resampler__k_neighbors")): score
        for each, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)
    }
    ours = {
        (*one.parameters["classifier"].values(), one.parameters.get("resampler", {}).get("k_neighbors")): one.score
        for one in record.choice.candidates
    }
    assert ours.keys() == theirs.keys()
    assert np.allclose([ours[key] for key in theirs], list(theirs.values()), atol=1e-12)
    assert list(ours)[record.choice.chosen] == max(ours, key=theirs.__getitem__)
    assert len(set(theirs.values())) > 3
    test = large.X[large.parts["test"]].reshape(len(large.parts["test"]), -1).astype(float)
    if len({score for score in theirs.values() if score == max(theirs.values())}) == 1:
        assert predicted(cell, store)["y_pred"].tolist() == search.predict(test).tolist()


def test_the_result_is_that_of_the_cell_that_declares_the_chosen_values(inputs, store):
    cell = cell_of(resampler={"name": "smote", "k_neighbors": {"choose": [1, 2]}}, choose={"n_splits": 4})
    inputs = without_the_smallest(inputs)
    record = run(cell, inputs, store)
    plain = cell.candidates[record.choice.chosen]
    assert record.metrics == run(plain, inputs, store).metrics
    ours, theirs = predicted(cell, store), predicted(plain, store)
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    assert list(record.measured.seconds) == ["split", "represent", "choose", "resample", "fit", "predict"]


def test_on_validation_the_score_of_the_choice_is_what_the_record_says_of_that_part(inputs, store):
    cell = cell_of(validation=0.3, choose={"by": "CBA", "scored_on": "validation"})
    record = run(cell, inputs, store)
    chosen = record.choice.candidates[record.choice.chosen]
    assert chosen.scores == [record.validation["CBA"]]
    assert chosen.score == max(one.score for one in record.choice.candidates)
    assert record.choice.how == "CBA on validation"


LEVELS = {
    "svm": SVM,
    "linear_probe": {"name": "linear_probe", "C": {"choose": [1e-4, 1.0]}},
    "knn": {"name": "knn", "n_neighbors": {"choose": [1, 3, 5]}, "threshold_moving": {"choose": [False, True]}},
    "sklearn": {
        "name": "sklearn",
        "estimator": "sklearn.tree.DecisionTreeClassifier",
        "parameters": {"max_depth": {"choose": [1, 3, 6]}},
    },
    "cnn": {"name": "cnn", "alpha": 0.25, "weights": "embedded", "epochs": {"choose": [1, 2]}, "learning_rate": 1e-3},
    "keras": {"name": "keras", "builder": "my_nets:build", "epochs": 3, "learning_rate": {"choose": [1e-4, 1e-2]}},
}


@pytest.mark.parametrize("classifier", LEVELS)
@pytest.mark.usefixtures("module")
def test_no_test_sample_or_label_takes_part(inputs, tmp_path, classifier):
    cell = cell_of(
        LEVELS[classifier], "ros", "image" if classifier in ("cnn", "keras") else "raw", choose={"n_splits": 2}
    )
    test, rng = inputs.parts["test"], np.random.default_rng(1)
    shuffled = rng.permutation(len(test))
    X, y = inputs.X.copy(), inputs.y.copy()
    X[test], y[test] = X[test[shuffled]], rng.permutation(y[test])
    others = {"labels": replace(inputs, y=y, key="labels"), "samples": replace(inputs, X=X, y=y, key="samples")}
    records, found = {}, {}
    for name, given in {"as they are": inputs, **others}.items():
        store = Store(tmp_path / name)
        store.prepare()
        records[name], found[name] = run(cell, given, store), predicted(cell, store)
    choices = [record.choice for record in records.values()]
    assert choices[0] == choices[1] == choices[2]
    assert len({one.score for one in choices[0].candidates}) > 1
    assert records["labels"].metrics != records["as they are"].metrics
    assert np.array_equal(found["as they are"]["y_pred"], found["labels"]["y_pred"])
    assert np.array_equal(found["as they are"]["y_pred"][shuffled], found["samples"]["y_pred"])


def test_of_equal_scores_the_first_declared_is_chosen(inputs, store):
    record = run(cell_of(saying(4, 2, 7)), inputs, store)
    assert len({one.score for one in record.choice.candidates}) == 1
    assert record.choice.chosen == 0
    assert Saying.fits == [4, 2, 7] * 3 + [4]


def test_a_candidate_that_fails_loses_and_says_why(inputs, store):
    record = run(cell_of(saying("value", "infeasible", 5)), inputs, store)
    assert (record.status, record.choice.chosen) == ("done", 2)
    assert [one.message for one in record.choice.candidates] == [
        "ValueError: got 3",
        "saying: got too few samples",
        None,
    ]
    assert record.choice.candidates[0].scores == [None] * 3
    assert set(predicted(cell_of(saying("value", "infeasible", 5)), store)["y_pred"]) == {5}


@pytest.mark.parametrize(
    ("says", "status", "message"),
    [
        (
            ("infeasible", "infeasible"),
            "infeasible",
            "choose: got no score of 2 candidates; of the first, says=infeasible: saying: got too few samples",
        ),
        (
            ("value", "infeasible"),
            "error",
            "ChoiceError: choose: got no score of 2 candidates; of the first, says=value: ValueError: got 3",
        ),
        ((1, "memory"), "oom", "MemoryError: no room"),
    ],
)
def test_what_becomes_of_a_cell_without_a_candidate_to_choose(inputs, store, says, status, message):
    says = [f"{each}" if isinstance(each, str) else each for each in says]
    levels = saying(*says)
    if len(set(says)) == 1:  # two candidates that differ in nothing could not be declared
        levels = levels.model_copy().with_candidates([Saying(says=each) for each in says], [("says",)])
    record = run(cell_of(levels), inputs, store)
    assert (record.status, record.message) == (status, message)


def test_a_resampler_that_is_infeasible_in_an_inner_fold_loses(inputs, store):
    cell = cell_of("knn", {"name": "smote", "k_neighbors": {"choose": [5, 1]}})
    record = run(cell, without_the_smallest(inputs), store)
    assert record.choice.chosen == 1
    assert "smote: got " in record.choice.candidates[0].message


def test_a_class_that_a_resampler_removes_is_scored_as_never_recognised(inputs, store):
    levels = [Dropping(label=label) for label in (0, 9)]
    resampler = levels[0].model_copy().with_candidates(levels, [("label",)])
    record = run(cell_of("knn", resampler), inputs, store)
    assert record.choice.chosen == 1  # class 9 has two samples, class 0 has twenty
    assert record.class_counts["resampled"][9] == 0


@pytest.mark.parametrize("says", ["interrupt"])
def test_a_choice_that_is_interrupted_goes_on_where_it_was(inputs, tmp_path, monkeypatch, says):
    monkeypatch.setattr(outcomes, "_WORTH_KEEPING_S", 0)
    store = Store(tmp_path)
    store.prepare()
    cell = cell_of(saying(3, says, 5))
    with pytest.raises(KeyboardInterrupt):
        run(cell, inputs, store)
    assert Saying.fits == [3, says, 5, 3, says]
    record = run(cell, inputs, store, "again")
    assert Saying.fits == [3, says, 5, 3, says, says, 5, 3, says, 5, 3]
    undisturbed = Store(tmp_path / "undisturbed")
    undisturbed.prepare()
    assert record.choice == run(cell, inputs, undisturbed).choice
    assert not list((store.root / "checkpoints").glob("*.npz"))


@pytest.mark.usefixtures("module")
def test_a_network_that_is_interrupted_in_a_choice_goes_on_with_its_epoch(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(outcomes, "_WORTH_KEEPING_S", 0)
    monkeypatch.setattr(resuming, "_CHECKPOINT_EVERY_S", 0)
    cell = cell_of(LEVELS["keras"], "none", "image")
    restored: list[bool] = []

    def restore(*given, **settings):
        found = resuming.restore(*given, **settings)
        restored.append(found is not None)
        return found

    monkeypatch.setattr("raygrid.classifiers.training.loop.restore", restore)
    stores = {name: Store(tmp_path / name) for name in ("interrupted", "undisturbed")}
    for store in stores.values():
        store.prepare()
    expected = run(cell, inputs, stores["undisturbed"])
    assert restored == [False] * 7
    saved = []

    def save_then_stop(self, arrays):
        kept_save(self, arrays)
        if any(name.startswith("training/") for name in arrays):
            saved.append(None)  # two in each training
            if len(saved) in (3, 13):  # in the training of the second candidate, and in the last training of all
                raise KeyboardInterrupt

    from raygrid.storage.kept_checkpoint import KeptCheckpoint

    kept_save = KeptCheckpoint.save
    monkeypatch.setattr(KeptCheckpoint, "save", save_then_stop)
    restored.clear()
    for attempt in ("one", "two"):
        with pytest.raises(KeyboardInterrupt):
            run(cell, inputs, stores["interrupted"], attempt)
    record = run(cell, inputs, stores["interrupted"], "three")
    assert restored.count(True) == 2
    assert (record.choice, record.metrics) == (expected.choice, expected.metrics)
    assert record.measured.seconds["earlier"] > 0
    assert "earlier" not in expected.measured.seconds


def test_inner_folds_score_each_training_sample_once_and_train_on_every_class(inputs):
    y = inputs.y[inputs.parts["train"]]
    y = np.r_[y, 10]  # a class of one sample
    cell = cell_of(choose={"n_splits": 3})
    folds = list(inner_folds(cell, y))
    assert np.array_equal(np.sort(np.concatenate([scored for _, scored in folds])), np.arange(len(y) - 1))
    for fitted, scored in folds:
        assert not set(fitted) & set(scored)
        assert np.bincount(y[fitted], minlength=11).all()
        assert np.ptp(np.bincount(y[scored], minlength=9)[:8]) <= 1
    assert small_classes(cell, y).tolist() == [9, 10]
    again = list(inner_folds(cell_of("knn", "smote", choose={"n_splits": 3}), y))
    assert all(
        np.array_equal(a, b) for one, other in zip(folds, again, strict=True) for a, b in zip(one, other, strict=True)
    )
    others = list(inner_folds(replace(cell, fold=1), y))
    assert not np.array_equal(folds[0][1], others[0][1])


def test_a_small_class_is_noted(inputs, store):
    record = run(cell_of(), inputs, store)
    assert fold_of(cell_of(), inputs).train.tolist() == inputs.parts["train"].tolist()
    assert record.notes == ["fewer training samples than inner folds of '9': not scored in each"]


def test_the_sizes_of_classes_forbid_a_cell_only_if_they_forbid_every_candidate(inputs):
    y = np.repeat([0, 1], [20, 6])
    check_class_sizes(cell_of("knn", "smote"), y)
    check_class_sizes(cell_of(resampler={"name": "smote", "k_neighbors": {"choose": [5, 3]}}), y)
    with pytest.raises(InfeasibleError, match=r"^in inner fold of 3: got 4 samples of class 1; expected at least 6"):
        check_class_sizes(cell_of(resampler="smote"), y)
    check_class_sizes(cell_of(resampler="smote", validation=0.2, choose={"scored_on": "validation"}), y)
