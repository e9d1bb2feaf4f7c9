"""Predicted seconds by hand: recorded, on a power law, scaled from another size, or none."""

import json
from math import isfinite, log

import made_up
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from raygrid.cells import expand
from raygrid.costs.model import CostModel, stratum_of
from raygrid.costs.recorded import Done, Recorded, Sizes, sizes_of
from raygrid.storage.record import Record

# The smallest class of each data set, train and test.
SMALLEST = {"mnist": (5421, 892), "cifar10": (5000, 1000), "stl10": (500, 800)}
CELLS = expand(made_up.grid())


def counts_of(cell):
    """Return how many samples of each of the ten classes a cell works on, train and test."""
    return [[int(size) for size in cell.imbalance.kept([n] * 10)] for n in SMALLEST[cell.dataset.name]]


def n_train_of(ir):
    """Return how many samples a cell of stl10 is trained on."""
    return sum(counts_of(the("stl10", ir, "svm", "none"))[0])


def the(dataset, ir, classifier, resampler, fold=0):
    """Return a cell of the paper's grid."""
    wanted = {
        "dataset": dataset,
        "imbalance": str(ir),
        "classifier": classifier,
        "resampler": resampler,
        "fold": str(fold),
    }
    (cell,) = (cell for cell in CELLS if wanted.items() <= cell.levels().items())
    return cell


def done(cell, n_fitted=None, **seconds):
    """Return a record of a cell of this data set's size; `n_fitted` samples after resampling."""
    train, test = counts_of(cell)
    counts = {"train": train, "test": test, "resampled": [n_fitted or sum(train)]}
    record = made_up.record(cell, np.random.default_rng(0))
    return record.model_copy(update={"class_counts": counts, "measured": made_up.measured(seconds)})


def known_sizes(cell):
    """Return the sizes that follow from the labels of a data set."""
    return sizes_of(*counts_of(cell))


def predicted(cell, *records, datasets=("stl10",)):
    """Return the prediction of a model of these records, which knows the sizes of these data sets."""
    estimate = CostModel(records, lambda one: known_sizes(one) if one.dataset.name in datasets else None).estimate(cell)
    return estimate and (estimate.basis, estimate.seconds)


def test_sizes_follow_from_those_of_the_classes():
    at_10 = Sizes(n_train=1462, n_test=2341, all_largest=5000, all_smallest=500)
    assert known_sizes(the("stl10", 10, "svm", "none")) == at_10
    assert sizes_of([3, 20, 7], [1, 2, 4]) == Sizes(n_train=30, n_test=7, all_largest=60, all_smallest=9)
    assert (at_10.ratio, sizes_of([3, 20, 7], [1, 2, 4]).ratio) == (10, approx(20 / 3))


def test_a_recorded_stratum_is_the_mean_of_its_folds():
    first = done(the("stl10", 5, "svm", "smote", fold=0), fit=10, predict=20)
    second = done(the("stl10", 5, "svm", "smote", fold=1), fit=14, predict=16.5)
    assert predicted(the("stl10", 5, "svm", "smote", fold=7), first, second) == ("recorded", approx(30.25))


def test_a_record_is_known_again_after_it_was_a_file():
    record = done(the("stl10", 5, "svm", "none"), fit=10)
    again = Record.model_validate(json.loads(record.model_dump_json()))
    assert predicted(the("stl10", 5, "svm", "none", fold=1), again) == ("recorded", approx(10))


def test_two_training_sizes_make_a_power_law():
    n = {ir: n_train_of(ir) for ir in (2, 5, 10)}
    records = [done(the("stl10", ir, "svm", "none"), fit=1e-5 * n[ir] ** 1.7) for ir in (2, 10)]
    assert predicted(the("stl10", 5, "svm", "none"), *records) == ("power law", approx(1e-5 * n[5] ** 1.7))


def test_all_folds_of_a_size_are_one_point_of_the_power_law():
    n = {ir: n_train_of(ir) for ir in (2, 5, 10)}
    ten = [done(the("stl10", 10, "svm", "none", fold), fit=one) for fold, one in enumerate([3, 5])]
    two = done(the("stl10", 2, "svm", "none"), fit=32)
    exponent = np.log(32 / 4) / np.log(n[2] / n[10])
    expected = 4 * (n[5] / n[10]) ** exponent
    assert predicted(the("stl10", 5, "svm", "none"), two, *ten) == ("power law", approx(expected))


@pytest.mark.parametrize(("at_2", "at_10", "exponent"), [(1, 4, 0), (1e6, 1, 3)])
def test_the_exponent_stays_between_0_and_3(at_2, at_10, exponent):
    records = [done(the("stl10", ir, "svm", "none"), fit=one) for ir, one in ((2, at_2), (10, at_10))]
    n = {ir: n_train_of(ir) for ir in (2, 5, 10)}
    expected = (at_2 * at_10) ** 0.5 * (n[5] / (n[2] * n[10]) ** 0.5) ** exponent
    assert predicted(the("stl10", 5, "svm", "none"), *records) == ("power law", approx(expected))


# One record of stl10 at IR 10 and 100 s a stage (1,462 trained, 2,341 tested), and what it makes of a cell. With
# n = 3496 / 1462 and t = 5594 / 2341 for stl10 at IR 2; 10 and 1.25 for cifar10 at IR 10 (14,643 and 2,927 samples).
N, T = 3496 / 1462, 5594 / 2341
N_CIFAR, T_CIFAR = 14643 / 1462, 2927 / 2341
SCALED = {
    "all of a network grows with n, predicting with t": ("stl10", 2, "cnn", "none", None, 100 * (3 * N + T)),
    "an SVM compares pairs": ("stl10", 2, "svm", "none", None, 100 * (2 * N + N**2 + T * N)),
    "a set filled up to the largest class stays as large": ("stl10", 2, "cnn", "ros", 5000, 100 * (2 * N + 1 + T)),
    "SMOTE looks for neighbours": ("stl10", 2, "svm", "smote", 5000, 100 * (N + N**2 + 1 + T)),
    "one cut down to the smallest": ("stl10", 2, "cnn", "rus", 500, 100 * (2 * N + 5 + T)),
    "nearly so, as IHT leaves it": ("stl10", 2, "cnn", "iht", 560, 100 * (2 * N + 5 + T)),
    "SMOTE+ENN leaves nearly all": ("stl10", 2, "svm", "smote_enn", 4400, 100 * (N + N**2 + 1 + T)),
    "another data set": ("cifar10", 10, "svm", "none", None, 100 * (2 * N_CIFAR + N_CIFAR**2 + T_CIFAR * N_CIFAR)),
    "another data set, filled up": ("cifar10", 10, "cnn", "ros", 5000, 100 * (2 * N_CIFAR + 10 + T_CIFAR)),
}


@pytest.mark.parametrize(
    ("dataset", "ir", "classifier", "resampler", "n_fitted", "expected"), SCALED.values(), ids=SCALED
)
def test_one_training_size_is_scaled_stage_by_stage(dataset, ir, classifier, resampler, n_fitted, expected):
    record = done(the("stl10", 10, classifier, resampler), n_fitted, split=100, resample=100, fit=100, predict=100)
    cell = the(dataset, ir, classifier, resampler)
    assert predicted(cell, record, datasets=["stl10", "cifar10"]) == ("scaled", approx(expected))


def test_a_stage_that_is_not_known_here_grows_like_fitting():
    record = done(the("stl10", 10, "svm", "none"), kernel=10)
    assert predicted(the("stl10", 2, "svm", "none"), record) == ("scaled", approx(10 * N**2))


def test_the_own_data_set_goes_before_the_same_ir_of_another():
    own = done(the("stl10", 2, "cnn", "none"), fit=5)
    other = done(the("cifar10", 10, "cnn", "none"), fit=70)
    assert predicted(the("stl10", 10, "cnn", "none"), own, other) == ("scaled", approx(5 / N))


@pytest.mark.parametrize(("ir", "expected"), [(2, 10), (5, 20), (10, 30)])
def test_of_another_data_set_the_nearest_ir_counts(ir, expected):
    records = [done(the("stl10", other, "cnn", "none"), fit=one) for other, one in ((2, 1), (5, 2), (10, 3))]
    found = predicted(the("cifar10", ir, "cnn", "none"), *records, datasets=["cifar10"])
    assert found == ("scaled", approx(expected, rel=0.01))


def test_nothing_is_said_of_what_nothing_like_it_is_recorded():
    record = done(the("stl10", 10, "svm", "none"), fit=5)
    assert predicted(the("stl10", 10, "svm", "none"), record)
    for other in (the("stl10", 10, "cnn", "none"), the("stl10", 10, "svm", "smote")):
        assert predicted(other, record) is None


def test_other_parameters_and_image_sizes_are_something_else():
    record = done(the("stl10", 10, "svm", "none"), fit=5)
    arms = [
        {"representation": "features", "classifier": {"name": "svm", "C": 10.0}, "resamplers": ["none"]},
        {"representation": {"name": "features", "alpha": 0.25}, "classifier": "svm", "resamplers": ["none"]},
    ]
    others = [*expand(made_up.grid(arms=arms)), *expand(made_up.grid(image_size=32))]
    model = CostModel([record], known_sizes)
    assert len(others) > 900
    assert not any(model.estimate(cell) for cell in others)
    seeded = expand(made_up.grid(seed=7, interpolation="nearest"))  # neither costs anything
    assert sum(model.estimate(cell) is not None for cell in seeded) == 90


def test_a_data_set_of_unknown_size_has_no_prediction_until_its_size_is_known():
    record, cell = done(the("stl10", 10, "cnn", "none"), fit=5), the("cifar10", 10, "cnn", "none")
    assert predicted(cell, record, datasets=["stl10"]) is None
    assert predicted(cell, record, datasets=["cifar10"]) == ("scaled", approx(5 * N_CIFAR))
    size_only = done(the("cifar10", 10, "svm", "none"), fit=1)
    assert predicted(cell, record, size_only) == ("scaled", approx(5 * N_CIFAR))


@pytest.mark.parametrize("status", ["infeasible", "error", "oom", "timeout", "preempted"])
def test_only_done_records_teach(status):
    cell = the("stl10", 10, "svm", "none")
    assert predicted(cell, made_up.failed(cell, status, "was so")) is None


def test_what_takes_no_time_at_all_stands_no_logarithm_in_the_way():
    records = [done(the("stl10", ir, "svm", "none"), fit=0.0) for ir in (2, 10)]
    assert predicted(the("stl10", 5, "svm", "none"), *records) == ("power law", approx(0.001))


def test_a_model_learns():
    model, cell = CostModel([]), the("stl10", 10, "svm", "none")
    assert (model.estimate(cell), model.sizes(cell), model.recorded_sizes(cell)) == (None, None, frozenset())
    model.learn(done(the("stl10", 5, "svm", "none"), fit=8))
    assert model.estimate(cell) is None  # its size is not known
    model.learn(done(the("stl10", 10, "cnn", "none"), fit=8))
    assert model.estimate(cell).basis == "scaled"
    model.learn(done(the("stl10", 10, "svm", "none"), fit=6))
    assert model.estimate(the("stl10", 10, "svm", "none", fold=3)).seconds == 6
    assert (model.sizes(cell).n_train, model.recorded_sizes(cell)) == (1462, {1462, n_train_of(5)})
    assert model.recorded_sizes(the("cifar10", 10, "svm", "none")) == frozenset()


def test_the_spread_is_that_of_cells_about_the_mean_of_their_stratum():
    folds = [done(the("stl10", 10, "svm", "none", fold), fit=one) for fold, one in enumerate([8, 9, 10, 11, 12])]
    others = [done(the("stl10", 5, "svm", "none", fold), fit=one) for fold, one in enumerate([80, 90, 100, 110, 120])]
    alone = done(the("stl10", 2, "svm", "none"), fit=1e6)
    assert CostModel([*folds, *others[:4], alone]).spread() is None
    low, high, n_records = CostModel([*folds, *others, alone]).spread()
    assert (low, high, n_records) == (approx(0.8), approx(1.2), 10)


def test_a_finished_study_predicts_itself():
    study = made_up.study(folds=2)
    model = CostModel(study.records.values())
    total = sum(sum(record.measured.seconds.values()) for record in study.records.values())
    assert sum(model.estimate(cell).seconds for cell in study.cells) == approx(total)


@settings(deadline=None, max_examples=20)
@given(st.sets(st.sampled_from(range(900)), max_size=60), st.floats(0.001, 1e6))
def test_every_prediction_is_a_positive_number_and_scales_with_the_machine(chosen, slower):
    records = [done(CELLS[i], fit=1.0 + i, predict=0.5) for i in sorted(chosen)]
    slow = [done(CELLS[i], fit=slower * (1.0 + i), predict=slower * 0.5) for i in sorted(chosen)]
    model, slow_model = CostModel(records), CostModel(slow)
    for cell in CELLS[::7]:
        estimate, slow_estimate = model.estimate(cell), slow_model.estimate(cell)
        assert (estimate is None) == (slow_estimate is None)
        if estimate and estimate.seconds * slower > 0.1:
            assert isfinite(estimate.seconds) and estimate.seconds > 0
            assert slow_estimate.seconds == approx(slower * estimate.seconds, rel=1e-6)


RECORDED = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.lists(st.integers(1, 9), min_size=2, max_size=4))


@given(st.lists(RECORDED, min_size=1), st.sampled_from("abc"), st.lists(st.integers(1, 9), min_size=2, max_size=4))
def test_the_nearest_records_are_those_of_the_data_set_then_ratio_then_size_then_the_first(records, dataset, classes):
    recorded, sizes, first = Recorded(), sizes_of(classes, [1]), {}
    for name, imbalance, recorded_classes in records:
        done_of = Done({"fit": 1.0}, sizes_of(recorded_classes, [1]), 5)
        first.setdefault((name, imbalance), done_of.sizes)
        recorded.add(name, imbalance, done_of)
        near = recorded.nearest(dataset, sizes)[0].sizes  # also between two records, of which the second changes it

    def distance(place):
        ratio, n_train = first[place].ratio / sizes.ratio, first[place].n_train / sizes.n_train
        return place[0] != dataset, abs(log(ratio)), abs(log(n_train))

    assert near == first[min(first, key=distance)]


def test_what_is_learnt_later_is_counted_like_what_was_known_at_first():
    records = [done(CELLS[i], fit=1.0 + i, predict=0.5) for i in range(0, 900, 17)]
    at_first, later = CostModel(records, known_sizes), CostModel(records[:9], known_sizes)
    for record in records[9:]:
        later.estimate(CELLS[-1])
        later.learn(record)
    assert [later.estimate(cell) for cell in CELLS[::7]] == [at_first.estimate(cell) for cell in CELLS[::7]]


def test_strata_are_cells_but_for_their_fold():
    strata = {stratum_of(cell.identity()) for cell in CELLS}
    assert len(strata) == 90


def test_seconds_of_a_card_and_of_cpus_do_not_predict_each_other():
    cell, other = the("stl10", 10, "cnn", "none"), the("stl10", 5, "cnn", "none")

    def took(seconds, gpus):
        record = done(cell, fit=seconds)
        return record.model_copy(update={"measured": record.measured.model_copy(update={"gpus": gpus})})

    on_cpus, on_a_card = took(900, 0.0), took(30, 0.25)

    def said(*records, on_card):
        return CostModel(records, known_sizes, lambda cell: on_card).estimate

    assert said(on_cpus, on_card=True)(cell) is said(on_a_card, on_card=False)(cell) is None
    assert said(on_cpus, on_card=True)(other) is None
    both = [said(on_cpus, on_a_card, on_card=on_card) for on_card in (True, False)]
    assert [estimate(cell).seconds for estimate in both] == [30, 900]
    assert both[1](other).seconds == approx(30 * both[0](other).seconds)
    model = CostModel([on_cpus, on_a_card], known_sizes, lambda cell: False)
    assert model.recorded_sizes(cell) == {1462}
    assert model.devices == {(False, ""): 1, (True, ""): 1}
