"""Plain classes as levels: of an installed package or of a file beside the grid file, written without raygrid."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from in_memory import test_samples, train_samples
from scipy.sparse import csr_array
from sklearn.svm import SVC

import raygrid as package
from raygrid.classifiers import fit, predictions
from raygrid.classifiers.estimator import Probabilities
from raygrid.classifiers.scores import ScoringClassifier
from raygrid.classifiers.svm import Svm
from raygrid.commands.test import put_to_test
from raygrid.errors import GridError
from raygrid.gridfile.faults import grid_of
from raygrid.gridfile.yaml_file import to_yaml
from raygrid.mixtures.samples import Samples, nearest, products, squares
from raygrid.storage.checkpoint import NO_CHECKPOINT

CODE = '''
import numpy as np

class Nearest:
    """The class of the nearest mean."""
    def __init__(self, power=2, random_state=None):
        self.power, self.random_state = power, random_state
    def fit(self, X, y):
        assert isinstance(self.random_state, int) and X.dtype == np.float32 and X.ndim == 2
        self.means = np.array([X[y == label].mean(axis=0) for label in np.unique(y)])
        return self
    def predict(self, X):
        return (abs(X[:, None] - self.means) ** self.power).sum(axis=-1).argmin(axis=1)

class Jitter:
    """Every class as large as the largest, by samples that are no mixtures."""
    def __init__(self, width=1.0, random_state=0):
        self.width, self.rng = width, np.random.default_rng(random_state)
    def fit_resample(self, X, y):
        most = np.bincount(y).max()
        rows = np.concatenate([np.resize(np.flatnonzero(y == label), most) for label in np.unique(y)])
        return X[rows] + self.width * self.rng.normal(size=(len(rows), X.shape[1])), y[rows]

class Wrong(Jitter):
    def fit_resample(self, X, y):
        return X[:, :3], y

class HalfOne:
    def fit(self, X, y): ...

class Needs(Nearest):
    def __init__(self, k):
        self.power = k

class OnlyX(Jitter):
    def fit_resample(self, X, y):
        return X

class Nearest2(Nearest): ...
class SMOTE(Jitter): ...
def function(): ...
'''
GRID = {
    "name": "plain",
    "folds": 2,
    "imbalance": [5],
    "image_size": 32,
    "datasets": ["digits"],
    "arms": [{"representation": "raw", "classifier": "mine:Nearest", "resamplers": ["none", "mine:Jitter"]}],
    "split": {"name": "holdout", "test": 0.5},
}


@pytest.fixture
def pool_samples():
    """Training and test samples of one pool of small images."""

    def made(dtype):
        X = np.random.default_rng(1).integers(0, 256, size=(40, 4, 4, 3)).astype(dtype)
        return train_samples(X[:30]), test_samples(X[30:], X[:30])

    return made


@pytest.fixture(autouse=True)
def mine(tmp_path, monkeypatch):
    """A folder with mine.py, which is the working directory; no module of that name is left in memory."""
    (tmp_path / "mine.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "mine", raising=False)
    monkeypatch.setattr("sys.path", [str(tmp_path), *__import__("sys").path])
    return tmp_path


def with_arm(**changes):
    return GRID | {"arms": [GRID["arms"][0] | changes]}


def loaded(grid, folder):
    return grid_of(to_yaml(grid), folder)


def test_both_kinds_run_and_are_reproducible(mine):
    first = package.run(GRID, store="one", engine="inline", cache=mine / "cache").to_frame()
    again = package.run(GRID, store="two", engine="inline", cache=mine / "cache").to_frame()
    assert list(first["status"].unique()) == ["done"]
    assert first.drop(columns="seconds").equals(again.drop(columns="seconds"))
    assert set(first["classifier"]) == {"Nearest"} and set(first["resampler"]) == {"none", "Jitter"}
    by = first[first["metric"] == "AvAcc"].groupby("resampler")["value"].mean()
    assert by["none"] > 0.5 and by["none"] != by["Jitter"]


def test_an_installed_package_needs_no_code_sent(mine):
    parts = {"classifier": {"name": "sklearn.svm:SVC", "C": 2.0}, "resamplers": ["imblearn.over_sampling:ADASYN"]}
    [arm] = loaded(with_arm(**parts), mine).arms
    assert arm.classifier.root is None
    assert arm.classifier.code["class"] == "sklearn.svm._classes:SVC"
    assert arm.classifier.code["package"].startswith("scikit-learn ")
    assert arm.classifier.as_dict() == {"name": "SVC", "C": 2.0}
    assert arm.resamplers[0].name == "imblearn.ADASYN"  # ADASYN alone is raygrid's


def test_the_source_is_part_of_the_key(mine):
    [arm] = loaded(GRID, mine).arms
    assert arm.classifier.root == mine / "mine.py"
    assert arm.classifier.code["class"] == "mine:Nearest" and arm.classifier.code["source"].startswith("sha256:")


def test_parameters_are_labels_and_can_be_chosen(mine):
    nearest_of = [{"name": "mine:Nearest", "power": 1}, {"name": "mine:Nearest", "power": 2}]
    grid = GRID | {"arms": [GRID["arms"][0] | {"classifier": one} for one in nearest_of], "folds": 1}
    frame = package.run(grid, store="labels", engine="inline", cache=mine / "cache").to_frame()
    assert set(frame["classifier"]) == {"Nearest(power=1)", "Nearest(power=2)"}
    chosen = with_arm(classifier={"name": "mine:Nearest", "power": {"choose": [1, 2]}}, resamplers=["none"])
    study = package.run(chosen | {"folds": 1}, store="chosen", engine="inline", cache=mine / "cache")
    [record] = study.records().values()
    assert record.status == "done"
    assert [one.parameters for one in record.choice.candidates] == [{"classifier": {"power": p}} for p in (1, 2)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"classifier": "mine:HalfOne"},
            "mine:HalfOne: got a class without predict, which a classifier needs;",
        ),
        (
            {"resamplers": ["mine:Nearest"]},
            "mine:Nearest: got a class without fit_resample, which a sampler needs;",
        ),
        ({"classifier": "mine:function"}, "mine: no Classifier of that name: got 'function'"),
        ({"classifier": "mine:Nothing"}, "mine: no Classifier of that name: got 'Nothing'"),
        ({"classifier": "mine:Nearst"}, "did you mean 'Nearest'?"),
        ({"classifier": "mien:Nearest"}, "did you mean mine:Nearest?"),
        ({"classifier": "sklearn.smv:SVC"}, "did you mean sklearn.svm:SVC?"),
        ({"classifier": {"name": "mine:Nearest", "powr": 2}}, "unknown parameter: got 'powr'; expected one of power"),
        ({"classifier": {"name": "mine:Nearest", "random_state": 2}}, "got random_state, which the trial sets"),
        ({"classifier": {"name": "sklearn.svm:SVC", "C": -1.0}}, "got parameters that it does not take: Inval"),
        (
            {"classifier": "mine:Needs"},
            'mine:Needs: got no k, which its constructor needs; write {name: "mine:Needs", k: VALUE}',
        ),
        ({"classifier": {"name": "mine:Nearest", "threshold_moving": True}}, "got threshold_moving with mine:Nearest"),
    ],
)
def test_what_does_not_fit_is_answered_in_one_line(mine, changes, message):
    with pytest.raises(GridError) as caught:
        loaded(with_arm(**changes), mine)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_sampler_that_returns_only_x_is_told_what_to_return(mine, capfd):
    assert put_to_test("mine:OnlyX", []) == 1
    out, err = capfd.readouterr()
    wrong = [line for line in out.splitlines() if line.startswith("WRONG")]
    assert wrong and all("fit_resample returned ndarray; expected X, y" in line for line in wrong)
    assert err == ""  # a traceback would have nothing of the user's code


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("X * np.nan, y", "NaN or infinite values in 96 of 96 samples; expected finite ones"),
        ("X, y + 0.5", "label 0.5; expected those of y, 0 to 2"),
        ("X, y + 1", "label 3; expected those of y, 0 to 2"),
        ("X, np.eye(3)[y]", "y of shape (96, 3); expected (n, "),
        ("[[1.0], [1.0, 2.0]], y", "what is no array of numbers (setting an array element with a sequence."),
    ],
)
def test_a_sampler_that_returns_no_samples_is_told_so_by_its_name(mine, capfd, monkeypatch, returned, message):
    code = f"import numpy as np\nclass Odd:\n    def fit_resample(self, X, y): return {returned}\n"
    (mine / "odd_sampler.py").write_text(code)
    monkeypatch.delitem(__import__("sys").modules, "odd_sampler", raising=False)
    assert put_to_test("odd_sampler:Odd", []) == 1
    out, err = capfd.readouterr()
    wrong = [line.partition(": ")[2] for line in out.splitlines() if line.startswith("WRONG")]
    assert wrong and all(line.startswith("Odd: fit_resample returned ") and message in line for line in wrong)
    assert err == ""


def test_two_classes_of_one_name_are_refused(mine):
    (mine / "other.py").write_text("from mine import Jitter\nclass Jitter(Jitter): ...\n")
    with pytest.raises(GridError, match="got two classes named 'Jitter'"):
        loaded(with_arm(resamplers=["mine:Jitter", "other:Jitter"]), mine)


def test_a_wrong_result_is_a_record(mine):
    study = package.run(with_arm(resamplers=["mine:Wrong"]), store="wrong", engine="inline", cache=mine / "cache")
    assert {record.status for record in study.records().values()} == {"error"}
    message = next(iter(study.records().values())).message
    assert message.endswith("expected (n, 3072) and (n,)") and "Wrong: fit_resample returned X of shape" in message


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        ("np.full(len(X), 10)", "predict: got label 10; expected labels 0 to 9"),
        ("np.full(len(X), -1)", "predict: got label -1; expected labels 0 to 9"),
        ("np.full(len(X), 0.9)", "float64 of shape (368,), such as 0.9; expected 368 whole numbers"),
        ("[0]", "predict: got int64 of shape (1,); expected 368 whole numbers, one a sample"),
        ("['glass'] * len(X)", "expected 368 whole numbers, one a sample"),
        ("np.zeros((len(X), 4))", "predict: got float64 of shape (368, 4); expected 368 whole numbers, one a sample"),
        ("np.full(len(X), np.nan)", "predict: got float64 of shape (368,), such as nan; expected 368 whole numbers"),
        ("np.full(len(X), 3.0)", None),
    ],
)
def test_predictions_that_are_no_labels_are_a_record(mine, monkeypatch, predicted, message):
    (mine / "odd.py").write_text(
        f"import numpy as np\nclass Odd:\n    def fit(self, X, y): ...\n    def predict(self, X): return {predicted}\n"
    )
    monkeypatch.delitem(__import__("sys").modules, "odd", raising=False)
    one = with_arm(classifier="odd:Odd", resamplers=["none"]) | {"folds": 1}
    [record] = package.run(one, store="odd", engine="inline", cache=mine / "cache").records().values()
    assert (record.status, message) == ("done", None) or (record.status == "error" and message in record.message)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("np.full((len(X), 2), 0.5)", "got float64 of shape (368, 2); expected (368, 10), a column for each label"),
        (
            "np.full((len(X), 12), 1 / 12)",
            "got float64 of shape (368, 12); expected (368, 10), a column for each label",
        ),
        ("np.full(len(X), 0.9)", "got float64 of shape (368,); expected (368, 10), a column for each label"),
        (
            "[np.full((len(X), 2), 0.5)] * 10",
            "got float64 of shape (10, 368, 2); expected (368, 10), a column for each",
        ),
        ("[[0.5], [0.5, 0.5]]", "got a list that is no array of numbers; expected (368, 10), a column for each label"),
        ("[['a'] * 10] * len(X)", "got <U1 of shape (368, 10); expected (368, 10), a column for each label"),
        ("np.full((len(X), 10), np.nan)", "got NaN or infinite values for 368 of 368 samples; expected finite ones"),
        ("np.eye(10)[[5] * len(X)] - 0.25", "got -0.25; expected probabilities, none of them negative"),
        ("np.eye(10)[[5] * len(X)] - 1e-9", None),  # rounding
        ("np.eye(10)[[5] * len(X)] * 30", None),  # the order is what labels need
        ("np.eye(10)[[5] * len(X)].astype(object)", None),
        ("np.eye(10)[[5] * len(X)] > 0", None),
    ],
)
def test_probabilities_that_are_none_are_a_record(returned, message):
    model = Probabilities(SimpleNamespace(predict_proba=lambda X: eval(returned, {"X": X, "np": np})), 10)
    X = train_samples(np.zeros((368, 3), np.float32))
    if message is None:
        assert predictions(model, X, 10)["y_pred"].tolist() == [5] * 368
    else:
        with pytest.raises(ValueError, match=f"^predict_proba: {re.escape(message)}"):
            predictions(model, X, 10)


def test_thresholds_are_moved_also_where_no_class_has_a_probability():
    class Unsure(ScoringClassifier):
        def fit(self, *given, **settings): ...

    shares = np.array([[0.0, 0.0], [0.5, 0.5]], np.float32)
    y, X = np.array([0, 0, 0, 1]), train_samples(np.zeros((2, 3), np.float32))
    moved = Unsure(name="unsure", threshold_moving=True).moved(SimpleNamespace(scores=lambda X: shares), y)
    np.testing.assert_allclose(moved.scores(X), [[0, 0], [0.25, 0.75]], atol=1e-6)


def test_a_candidate_with_probabilities_that_are_none_is_not_chosen(mine, monkeypatch):
    (mine / "maybe.py").write_text(
        "from mine import Nearest, np\n"
        "class Maybe(Nearest):\n"
        "    def __init__(self, p): self.p, self.power, self.random_state = p, 2, 0\n"
        "    def predict_proba(self, X):\n"
        "        return np.eye(10)[self.predict(X)] if self.p == 1 else np.full((len(X), self.p), np.nan)\n"
    )
    monkeypatch.delitem(__import__("sys").modules, "maybe", raising=False)
    tried = with_arm(classifier={"name": "maybe:Maybe", "p": {"choose": [2, 10, 1]}}, resamplers=["none"])
    [record] = package.run(tried | {"folds": 1}, store="c", engine="inline", cache=mine / "cache").records().values()
    assert record.choice.chosen == 2
    narrow, diverged, _ = (one.message for one in record.choice.candidates)
    assert "got float64 of shape" in narrow and "got NaN or infinite values" in diverged


def test_what_a_class_returns_where_a_resampler_removed_one_is_checked_alike():
    X, y = train_samples(np.zeros((6, 2), np.float32)), np.array([0, 0, 2, 2, 3, 3])
    for returned, message in ((-1, "got label -1; expected labels 0 to 2"), (3, "got label 3; expected labels 0 to 2")):
        level = SimpleNamespace(fit=lambda *_, n=returned, **__: SimpleNamespace(predict=lambda X: np.full(len(X), n)))
        model = fit(level, X, csr_array(np.eye(6)), y, 4, seed=0, checkpoint=NO_CHECKPOINT)
        with pytest.raises(ValueError, match=f"^predict: {message}$"):
            predictions(model, X, 4)


def test_a_sampler_of_ones_own_before_probabilities(mine):
    given = with_arm(classifier={"name": "svm", "probability": "sigmoid"}, resamplers=["mine:Jitter"]) | {"folds": 1}
    study = package.run(given, store="sigmoid", engine="inline", cache=mine / "cache")
    [record] = study.records().values()
    assert record.status == "done", record.traceback
    assert study.predictions(record.key)["scores"].sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_products_with_new_samples_are_those_of_the_values(dtype, pool_samples):
    rng = np.random.default_rng(0)
    train, test = pool_samples(dtype)
    made = (train[:].reshape(len(train), -1) + rng.normal(size=(len(train), 1))).astype(np.float32)
    new = Samples.of(made.reshape(len(made), *train.shape[1:]), like=train)
    A, B = (csr_array(np.eye(len(of))) for of in (new, test))
    offset = 128 if dtype == np.uint8 else 0
    left, right = made.astype(float) - offset, test[:].reshape(len(test), -1).astype(float) - offset
    found = np.concatenate([block for _, block in products(A, new, B, test)])
    np.testing.assert_allclose(found, left @ right.T, rtol=1e-5)
    np.testing.assert_allclose(squares(A, new), (left**2).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(new.squares(), (left**2).sum(axis=1), rtol=1e-5)
    indices, _ = nearest(B, test, A, new, squares(A, new), n=1)
    distances = ((right[:, None] - left) ** 2).sum(axis=-1)
    assert indices[:, 0].tolist() == distances.argmin(axis=1).tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_machine_on_new_samples_is_scikit_learns(dtype, pool_samples):
    train, test = pool_samples(dtype)
    made = train[:].reshape(len(train), -1).astype(np.float32) * 1.1
    y = np.arange(len(train)) % 3
    new = Samples.of(made, like=train)
    machine = Svm().fit(new, csr_array(np.eye(len(made))), y, seed=0, checkpoint=NO_CHECKPOINT)
    expected = SVC().fit(made, y).predict(test[:].reshape(len(test), -1))
    assert machine.predict(test).tolist() == expected.tolist()


def test_the_contract_is_put_to_plain_classes(raygrid, mine):
    for reference in ("mine:Nearest", "mine:Jitter", "imblearn.over_sampling:RandomOverSampler"):
        code, out, err = raygrid("test", reference)
        assert (code, err) == (0, ""), out
        assert len(out.splitlines()) > 4
    code, out, _ = raygrid("test", "mine:Wrong")
    assert code == 1 and "WRONG" in out
