"""Which samples a fold is made of: splits, nesting, pairing, validation."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raygrid.cells import Cell
from raygrid.classifiers import CLASSIFIERS
from raygrid.datasets import DATASETS
from raygrid.errors import DataError, InfeasibleError
from raygrid.folds import Fold, fold_of, imbalanced
from raygrid.images import Labels
from raygrid.imbalance import Exponential, Harmonic, Natural
from raygrid.representations import REPRESENTATIONS
from raygrid.resampling import NoResampling
from raygrid.splits import SPLITS, Holdout, Official, StratifiedKFold


@dataclass(frozen=True)
class Seeded(Cell):
    """A cell whose fold has a seed of the test's."""

    @property
    def fold_seed(self) -> int:
        return self.seed


def cell(kind=Cell, **changes):
    return kind(
        **{
            "dataset": DATASETS["digits"](),
            "imbalance": Harmonic(ir=2),
            "fold": 0,
            "representation": REPRESENTATIONS["raw"](),
            "resampler": NoResampling(),
            "classifier": CLASSIFIERS["svm"](),
            "image_size": 32,
            "interpolation": "bilinear",
            "seed": 7,
            **changes,
        }
    )


def shuffled_labels(counts, seed):
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


def labels(**counts) -> Labels:
    """A data set with these parts; one part called `pool` is none."""
    ys = {part: shuffled_labels(some, i) for i, (part, some) in enumerate(counts.items())}
    ends = np.cumsum([len(y) for y in ys.values()])
    parts = dict(zip(ys, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
    names = tuple("abcdefghijklmnop"[: len(next(iter(counts.values())))])
    return Labels(np.concatenate([*ys.values()]), names, {} if "pool" in parts else parts)


DATA = labels(train=[40, 43, 50, 41, 60], test=[25, 20, 21, 22, 30])


def sizes(data: Labels, index, fold: Fold):
    return np.bincount(data.y[index], minlength=len(data.class_names))[fold.class_order].tolist()


@pytest.mark.parametrize("ir", [1, 2, 4.5, 10])
def test_both_parts_keep_the_ratio_each_with_its_own_n(ir):
    fold = fold_of(cell(imbalance=Harmonic(ir=ir)), DATA)
    assert sorted(fold.class_order) == [0, 1, 2, 3, 4]
    # n is the size of the smallest class: 40 of train, 20 of test.
    assert sizes(DATA, fold.train, fold) == Harmonic(ir=ir).kept([40] * 5)
    assert sizes(DATA, fold.test, fold) == Harmonic(ir=ir).kept([20] * 5)
    assert set(fold.train) <= set(DATA.parts["train"]) and set(fold.test) <= set(DATA.parts["test"])


def test_the_fold_of_one_seed_stays_the_same():
    # A release (of raygrid, or of NumPy) that changes these changes every result behind an unchanged key.
    fold = fold_of(cell(Seeded, imbalance=Harmonic(ir=10)), DATA)
    assert fold.class_order.tolist() == [4, 2, 3, 1, 0]
    assert fold.train[:10].tolist() == [1, 5, 7, 14, 31, 36, 37, 40, 43, 45]
    assert (fold.test[:10] - 234).tolist() == [1, 2, 3, 13, 18, 22, 28, 29, 30, 36]


ANY_SPLIT = st.sampled_from([Official(), Holdout(test=0.4), StratifiedKFold(n_splits=3)])
PARTS = st.integers(2, 8).flatmap(lambda m: st.tuples(*[st.lists(st.integers(30, 60), min_size=m, max_size=m)] * 2))
RATIOS = st.integers(100, 500).map(lambda hundredths: hundredths / 100)


@settings(max_examples=60, deadline=None)
@given(
    counts=PARTS, irs=st.tuples(RATIOS, RATIOS), kind=st.sampled_from([Harmonic, Exponential]), split=ANY_SPLIT,
    fold=st.integers(0, 5), seed=st.integers(0, 1000), validation=st.sampled_from([None, 0.2]),
)  # fmt: skip
def test_folds_are_ascending_disjoint_nested_over_ir_and_paired_over_everything_else(
    counts, irs, kind, split, fold, seed, validation
):
    data = labels(train=counts[0], test=counts[1])
    first = cell(split=split, fold=fold, seed=seed, validation=validation, imbalance=kind(ir=min(irs)))
    wide, narrow = (fold_of(replace(first, imbalance=kind(ir=ir)), data) for ir in sorted(irs))
    other = replace(first, representation=REPRESENTATIONS["image"](), classifier=CLASSIFIERS["knn"]())
    again = fold_of(other, data)
    assert wide.class_order.tolist() == narrow.class_order.tolist() == again.class_order.tolist()
    for made in (wide, narrow):
        together = np.concatenate([made.train, made.validation, made.test])
        assert len(set(together)) == len(together)
        assert all((np.diff(index) > 0).all() for index in (made.train, made.validation, made.test))
        assert (len(made.validation) > 0) is (validation is not None)
    assert set(narrow.test) <= set(wide.test)
    assert {*narrow.train, *narrow.validation} <= {*wide.train, *wide.validation}
    assert again.train.tolist() == wide.train.tolist() and again.test.tolist() == wide.test.tolist()


def test_the_training_samples_do_not_depend_on_the_test_part():
    other = labels(train=[40, 43, 50, 41, 60], test=[9, 9, 9, 9, 9])
    assert fold_of(cell(), DATA).train.tolist() == fold_of(cell(), other).train.tolist()


def test_global_random_state_is_neither_read_nor_moved():
    np.random.seed(0)
    before = fold_of(cell(validation=0.2), DATA).train.tolist()
    expected = np.random.random()
    np.random.seed(0)
    np.random.random(100)
    assert fold_of(cell(validation=0.2), DATA).train.tolist() == before
    np.random.seed(0)
    assert np.random.random() == expected


def test_folds_differ_in_class_order_and_in_samples():
    folds = [fold_of(cell(fold=fold), DATA) for fold in range(10)]
    assert len({tuple(fold.class_order) for fold in folds}) > 5
    assert len({tuple(fold.train) for fold in folds}) == 10


@pytest.mark.parametrize("n_splits", [2, 5])
def test_k_folds_test_every_sample_once_in_each_repetition(n_splits):
    data = labels(pool=[61, 40, 25, 12, 5])
    folds = [
        fold_of(cell(split=StratifiedKFold(n_splits=n_splits), fold=fold, imbalance=Natural()), data)
        for fold in range(2 * n_splits)
    ]
    for repetition in (folds[:n_splits], folds[n_splits:]):
        assert sorted(np.concatenate([fold.test for fold in repetition])) == list(range(143))
        assert max(len(fold.test) for fold in repetition) - min(len(fold.test) for fold in repetition) <= 1
    for fold in folds:
        assert sorted([*fold.train, *fold.test]) == list(range(143))
        for label, size in enumerate([61, 40, 25, 12, 5]):  # stratified: as even as whole samples can be
            assert abs((data.y[fold.test] == label).sum() - size / n_splits) < 1
    assert folds[0].test.tolist() != folds[n_splits].test.tolist()


def test_a_holdout_draws_a_share_of_each_class_anew_in_each_fold():
    data = labels(pool=[60, 40, 25, 12, 6])
    folds = [fold_of(cell(split=Holdout(test=0.3), fold=fold, imbalance=Natural()), data) for fold in range(4)]
    assert [np.bincount(data.y[fold.test]).tolist() for fold in folds] == [[18, 12, 8, 4, 2]] * 4
    assert len({tuple(fold.test) for fold in folds}) == 4


def test_official_parts_are_pooled_by_a_split_that_makes_its_own():
    folds = [
        fold_of(cell(split=StratifiedKFold(n_splits=4), imbalance=Natural(), fold=fold), DATA) for fold in range(4)
    ]
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(len(DATA.y)))


def test_a_validation_share_is_taken_from_each_class_of_the_training_samples():
    data = labels(pool=[100, 50, 20, 5, 2])
    whole = fold_of(cell(split=Holdout(test=0.3), imbalance=Natural()), data)
    fold = fold_of(cell(split=Holdout(test=0.3), imbalance=Natural(), validation=0.2), data)
    assert fold.test.tolist() == whole.test.tolist()
    assert sorted([*fold.train, *fold.validation]) == whole.train.tolist()
    assert np.bincount(data.y[whole.train]).tolist() == [70, 35, 14, 3, 1]
    assert np.bincount(data.y[fold.validation], minlength=5).tolist() == [14, 7, 3, 1, 0]


def test_a_data_sets_own_validation_part_is_used_where_that_is_asked_for():
    data = labels(train=[40, 30], validation=[10, 8], test=[9, 9])
    without = fold_of(cell(imbalance=Natural()), data)
    fold = fold_of(cell(imbalance=Natural(), validation="official"), data)
    assert without.validation.size == 0 and without.train.tolist() == fold.train.tolist()
    assert fold.validation.tolist() == data.parts["validation"].tolist()
    with pytest.raises(DataError, match="digits: got no validation part"):
        fold_of(cell(validation="official"), DATA)


def test_what_the_data_have_not_is_said_with_what_to_do():
    with pytest.raises(DataError, match=r"digits: got no parts; expected train and test; write `split: .*holdout"):
        fold_of(cell(), labels(pool=[5, 5]))
    with pytest.raises(DataError, match=r"got only train, validation; expected train and test"):
        fold_of(cell(), labels(train=[5, 5], validation=[5, 5]))
    with pytest.raises(DataError, match=r"got no image of b in test; expected every class"):
        fold_of(cell(), labels(train=[5, 5], test=[5, 0]))


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_level_that_the_counts_cannot_realise_is_infeasible(part):
    counts = {"train": [400, 400, 400], "test": [400, 400, 400]} | {part: [40, 40, 40]}
    with pytest.raises(InfeasibleError, match=rf"imbalance 100: got 40 images of '[abc]' in {part}, of which none"):
        fold_of(cell(imbalance=Harmonic(ir=100)), labels(**counts))


def test_a_class_too_small_for_the_split_is_infeasible():
    with pytest.raises(InfeasibleError, match=r"got 0 images of 'b' in test; expected at least 1; add images$"):
        fold_of(cell(split=Holdout(test=0.3), imbalance=Natural()), labels(pool=[30, 1]))


def test_samples_without_a_cell_are_those_of_a_fold_with_that_seed():
    fold = fold_of(cell(Seeded, imbalance=Exponential(ir=4)), DATA)
    assert imbalanced(DATA.y[DATA.parts["train"]], Exponential(ir=4), seed=7).tolist() == fold.train.tolist()


def test_the_parts_of_one_seed_stay_the_same():
    # A release that changes these changes every result behind an unchanged key.
    data = labels(pool=[7, 6, 5])
    dealt = [StratifiedKFold(n_splits=3).parts(data, fold=fold, seed=7)["test"].tolist() for fold in range(4)]
    assert dealt == [[0, 1, 2, 7, 9, 11], [5, 10, 12, 13, 15, 17], [3, 4, 6, 8, 14, 16], [3, 5, 6, 7, 10, 16]]
    assert Holdout(test=0.3).parts(data, fold=1, seed=7)["test"].tolist() == [0, 3, 6, 7, 9, 10]


def test_splits_have_the_names_and_defaults_that_a_grid_file_knows():
    assert {name: split().name for name, split in SPLITS.items()} == {name: name for name in SPLITS}
    assert list(SPLITS) == ["official", "holdout", "stratified_kfold"]
    assert (Holdout().test, StratifiedKFold().n_splits) == (0.3, 5)
    assert [split().n_folds_in_turn for split in SPLITS.values()] == [1, 1, 5]
