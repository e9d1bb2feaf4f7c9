"""The three metrics by hand, and against scikit-learn where it has them."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix

from raygrid.metrics.confusion import METRICS, confusion_matrix

CASES = {
    # matrix, AvAcc, CBA, MAvG
    "perfect": ([[3, 0], [0, 2]], 1, 1, 1),
    "always wrong": ([[0, 3], [2, 0]], 0, 0, 0),
    # recalls 3/4, 1/2; columns 4, 2: 3/4, 1/2
    "rows and columns alike": ([[3, 1], [1, 1]], 5 / 8, 5 / 8, (3 / 8) ** (1 / 2)),
    # recalls 8/10, 1/2; columns 9, 3: 8/10, 1/3
    "a column larger than its row": ([[8, 2], [1, 1]], 13 / 20, (4 / 5 + 1 / 3) / 2, (2 / 5) ** (1 / 2)),
    # recalls 1, 1/2, 1/4; columns 5, 2, 1: 2/5, 1/2, 1/4
    "three classes": ([[2, 0, 0], [1, 1, 0], [2, 1, 1]], 7 / 12, 23 / 60, (1 / 8) ** (1 / 3)),
    # The third class is never predicted: its column is empty, its row is not.
    "a class never predicted": ([[2, 0, 0], [0, 2, 0], [1, 1, 0]], 2 / 3, 4 / 9, 0),
    # One class of many never recognised: MAvG is not smoothed.
    "a class never recognised": ([[9, 0, 0], [0, 9, 0], [0, 8, 0]], 2 / 3, (1 + 9 / 17) / 3, 0),
}


@pytest.mark.parametrize(("matrix", "av_acc", "cba", "m_avg"), CASES.values(), ids=CASES)
def test_metrics_by_hand(matrix, av_acc, cba, m_avg):
    got = {name: metric(np.array(matrix)) for name, metric in METRICS.items()}
    assert got == pytest.approx({"AvAcc": av_acc, "CBA": cba, "MAvG": m_avg}, abs=1e-12)
    assert all(type(value) is float for value in got.values())  # plain JSON


def test_rows_are_true_classes():
    y_true, y_pred = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0, 0])
    matrix = confusion_matrix(y_true, y_pred, 4)
    assert matrix.tolist() == [[1, 2, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert matrix.dtype == np.int64


@pytest.mark.parametrize("name", ["AvAcc", "MAvG"])
def test_a_class_without_test_samples_is_refused(name):
    with pytest.raises(ValueError) as refused:
        METRICS[name](np.array([[2, 0, 0], [1, 1, 0], [0, 0, 0]]))
    assert str(refused.value) == "confusion matrix: got no samples of class 2; expected some of every class"


labels = st.integers(2, 6).flatmap(
    lambda m: st.tuples(st.just(m), st.lists(st.tuples(st.integers(0, m - 1), st.integers(0, m - 1)), min_size=m))
)


@settings(deadline=None)
@given(labels)
def test_metrics_agree_with_scikit_learn_and_stay_in_order(drawn):
    n_classes, pairs = drawn
    y_true, y_pred = np.array(pairs, dtype=np.int64).T
    assume(len(np.unique(y_true)) == n_classes)
    matrix = confusion_matrix(y_true, y_pred, n_classes)
    assert (matrix == sklearn_confusion_matrix(y_true, y_pred, labels=range(n_classes))).all()
    got = {name: metric(matrix) for name, metric in METRICS.items()}
    assert got["AvAcc"] == pytest.approx(balanced_accuracy_score(y_true, y_pred))
    # A geometric mean is at most the arithmetic one; the larger divisor makes CBA at most AvAcc.
    assert 0 <= got["MAvG"] <= got["AvAcc"] + 1e-12
    assert 0 <= got["CBA"] <= got["AvAcc"] + 1e-12


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=5, max_size=5, unique=True))
def test_the_names_of_the_classes_do_not_matter(order):
    matrix = np.array([[9, 1, 0, 2, 1], [2, 7, 1, 0, 0], [1, 1, 5, 1, 0], [0, 2, 1, 3, 0], [1, 0, 0, 1, 2]])
    for metric in METRICS.values():
        assert metric(matrix[np.ix_(order, order)]) == pytest.approx(metric(matrix))


@pytest.mark.parametrize("n_classes", [10, 200, 1000])
def test_the_geometric_mean_of_many_small_recalls_is_not_lost(n_classes):
    right = np.eye(n_classes, dtype=np.int64)
    confusion = right + 9 * np.roll(right, 1, axis=1)
    assert METRICS["MAvG"](confusion) == pytest.approx(0.1, rel=1e-9)
    confusion[0] = [0, 10, *[0] * (n_classes - 2)]
    assert METRICS["MAvG"](confusion) == 0
