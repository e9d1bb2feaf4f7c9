"""Cells, their keys and seeds, and the plan."""

import pickle
import re
from dataclasses import replace
from typing import get_args

import pytest

from raygrid.cells import PROTOCOL, expand, plan
from raygrid.commands.selection import select
from raygrid.errors import UsageError
from raygrid.gridfile.schema import Grid
from raygrid.keys import canonical_json, hash_of, identity
from raygrid.storage.record import Status

CNN_ARM = {
    "representation": "image",
    "classifier": "cnn",
    "resamplers": ["none", "ros", "rus", "smote", "smote_enn", "iht"],
}
SVM_ARM = {"representation": "features", "classifier": "svm", "resamplers": ["none", "smote", "smote_enn", "iht"]}
PAPER = {"name": "paper", "seed": 2020, "datasets": ["mnist", "cifar10", "stl10"], "arms": [CNN_ARM, SVM_ARM]}
ONE = {
    "name": "one",
    "folds": 1,
    "imbalance_ratios": [5],
    "datasets": ["mnist"],
    "arms": [SVM_ARM | {"resamplers": ["smote"]}],
}


def grid(declared, **changes):
    return Grid.model_validate(declared | changes)


def cells(declared, **changes):
    return expand(grid(declared, **changes))


def keys(declared, **changes):
    return [cell.key for cell in cells(declared, **changes)]


def the_arm(**changes):
    return {"arms": [SVM_ARM | {"resamplers": ["smote"]} | changes]}


# A cell by its place in the paper's grid, and its key.
PINNED = [
    ("dataset=mnist imbalance=2 fold=0 representation=image classifier=cnn resampler=none", "49487d40990c7a42"),
    (
        "dataset=cifar10 imbalance=5 fold=3 representation=features classifier=svm resampler=smote_enn",
        "f9f44e8132691de4",
    ),
    ("dataset=stl10 imbalance=10 fold=9 representation=image classifier=cnn resampler=iht", "a0e5fc47520b9912"),
]


@pytest.mark.parametrize(("place", "key"), PINNED)
def test_a_key_stays_the_same_between_releases(place, key):
    # A release that changes one of these cannot resume a store of the one before: raise PROTOCOL and say so, or find
    # out what slipped into the identity.
    assert [cell.key for cell in cells(PAPER) if str(cell) == place] == [key]
    assert PROTOCOL == 4


def test_an_identity_is_all_that_can_change_the_result():
    (cell,) = cells(ONE)
    assert cell.identity() == {
        "protocol": 4,
        "dataset": {
            "name": "mnist",
            "fingerprint": "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        },
        "imbalance": {"name": "harmonic", "ir": 5.0, "class_order": "random", "test": "same"},
        "fold": 0,
        "representation": {"name": "features", "backbone": "mobilenet", "alpha": 1.0, "weights": "imagenet"},
        "resampler": {"name": "smote", "k_neighbors": 5},
        "classifier": {"name": "svm", "C": 1.0, "gamma": "scale"},
        "image_size": 64,
        "interpolation": "bilinear",
        "seed": 0,
    }
    assert cell.key == hash_of(cell.identity())


def test_cells_of_other_folds_have_keys_of_their_own():
    shared = {"split": {"name": "holdout"}, "validation": 0.2, "imbalance_ratios": [5, 7]}
    arms = [SVM_ARM | {"classifier": {"name": "svm", "C": {"choose": [1.0, 2.0]}}}]
    declared = [*cells(ONE, folds=12), *cells(ONE, folds=3, arms=arms, **shared)]
    changed = [replace(cell, seed=9) for cell in declared if cell.key]
    assert all(cell.key == hash_of(cell.identity()) for cell in [*declared, *changed])
    assert len({cell.key for cell in [*declared, *changed]}) == 2 * len(declared)
    assert declared[0].of_fold(7) == declared[7] == pickle.loads(pickle.dumps(declared[7]))
    assert declared[0].of_fold(7).key == declared[7].key


def test_a_hash_depends_on_the_value_and_not_on_its_order():
    assert hash_of({"a": 1, "b": [1, 2]}) == hash_of({"b": [1, 2], "a": 1})
    assert hash_of({"a": 1, "b": [1, 2]}) != hash_of({"a": 1, "b": [2, 1]})
    assert re.fullmatch("[0-9a-f]{16}", hash_of({}))
    with pytest.raises(ValueError):
        hash_of({"a": float("nan")})


def test_the_papers_grid_has_900_cells_and_needs_no_download(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    made = cells(PAPER)
    assert len(made) == 3 * 3 * 10 * (6 + 4) == 900
    assert len({cell.key for cell in made}) == 900
    assert not list(tmp_path.iterdir())


def test_cells_that_need_a_gpu_and_cells_that_do_not_stand_side_by_side():
    arms = [cell.classifier.name for cell in cells(PAPER)]
    assert arms[:20] == (["cnn"] * 6 + ["svm"] * 4) * 2


def test_a_cell_that_two_arms_have_in_common_is_one():
    assert keys(ONE, arms=[SVM_ARM, SVM_ARM | {"resamplers": ["smote"]}]) == keys(ONE, arms=[SVM_ARM])


EXCLUSIONS = {
    "nothing": ([], 900),
    "a data set": ([{"dataset": "mnist"}], 600),
    "a ratio": ([{"ir": 10}], 600),
    "a fold": ([{"fold": 9}], 810),
    "an arm": ([{"classifier": "cnn"}], 360),
    "a resampler, in both arms": ([{"resampler": "iht"}], 900 - 3 * 3 * 10 * 2),
    "a resampler in one arm": ([{"resampler": "iht", "representation": "image"}], 900 - 3 * 3 * 10),
    "levels that never meet": ([{"resampler": "ros", "classifier": "svm"}], 900),
    "one cell": (
        [{"dataset": "mnist", "ir": 2, "fold": 0, "representation": "image", "resampler": "none", "classifier": "cnn"}],
        899,
    ),
    "two that overlap": ([{"dataset": "mnist"}, {"ir": 10}], 400),
}


@pytest.mark.parametrize(("exclude", "left"), EXCLUSIONS.values(), ids=EXCLUSIONS)
def test_excluded_cells_are_left_out(exclude, left):
    declared = grid(PAPER, exclude=exclude)
    made = expand(declared)
    assert len(made) == left
    for exclusion in declared.exclude:
        assert not [cell for cell in made if exclusion.levels().items() <= cell.levels().items()]
    kept = set(made)
    assert [cell for cell in expand(grid(PAPER)) if cell in kept] == made


SELECTIONS = {
    "everything": ([], 900),
    "one level": (["dataset=mnist"], 300),
    "two levels": (["dataset=mnist,stl10"], 600),
    "two axes": (["dataset=mnist", "ir=2,5", "fold=0"], 20),
    "levels that never meet": (["resampler=ros", "classifier=svm"], 0),
    "an axis twice": (["fold=0,1", "fold=1,2"], 90),
}


@pytest.mark.parametrize(("only", "left"), SELECTIONS.values(), ids=SELECTIONS)
def test_only_selects(only, left):
    declared = grid(PAPER)
    assert len(select(expand(declared), only, declared.levels())) == left


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dataset=minst", "got 'minst'; expected one of mnist, cifar10, stl10; did you mean 'mnist'?"),
        ("dataset=mnist,minst", "got 'minst'; expected one of mnist, cifar10, stl10; did you mean 'mnist'?"),
        (
            "datasets=mnist",
            "got 'datasets'; expected one of dataset, imbalance, fold, representation, classifier, resampler; "
            "did you mean 'dataset'?",
        ),
        ("xyz", "got 'xyz'; expected one of dataset, imbalance, fold, representation, classifier, resampler"),
        ("ir=3", "got '3'; expected one of 2, 5, 10"),
        ("ir=", "got ''; expected one of 2, 5, 10"),
        ("ir=2,fold=0", "got 'fold=0'; expected one of 2, 5, 10; repeat --only for another axis"),
    ],
)
def test_only_refuses_what_the_grid_does_not_have(text, message):
    declared = grid(PAPER)
    with pytest.raises(UsageError) as refused:
        select(expand(declared), ["fold=0", text], declared.levels())
    assert str(refused.value) == f"--only {text}: {message}"


def test_only_names_a_level_as_tables_do():
    machines = [{"name": "svm", "C": c, "class_weight": weight} for c in (1, 10) for weight in ("none", "balanced")]
    arms = [{"representation": "features", "classifier": one, "resamplers": ["none"]} for one in machines]
    declared = grid({**PAPER, "arms": arms, "datasets": ["mnist"], "folds": 1, "imbalance_ratios": [2]})

    def selected(text):
        cells = select(expand(declared), [text], declared.levels())
        return [(cell.classifier.C, cell.classifier.class_weight.name) for cell in cells]

    assert selected("classifier=svm(C=1.0, class_weight=balanced)") == [(1.0, "balanced")]
    two = "classifier=svm(C=10.0),svm(C=1.0)"
    assert selected(two) == [(1.0, "none"), (10.0, "none")]
    assert len(selected("classifier=svm")) == 4


REORDERED = {
    "name": "another",
    "datasets": ["stl10", "mnist", "cifar10"],
    "imbalance_ratios": [10, 2, 5],
    "arms": [
        {"resamplers": SVM_ARM["resamplers"][::-1], "classifier": {"gamma": "scale", "name": "svm", "C": 1}}
        | {"representation": {"name": "features", "alpha": 1}},
        CNN_ARM | {"resamplers": CNN_ARM["resamplers"][::-1]},
    ],
}


def test_keys_do_not_depend_on_order_or_on_how_a_level_is_spelled():
    assert sorted(keys(PAPER, **REORDERED)) == sorted(keys(PAPER))


SAME = {
    "the grid's name": {"name": "another"},
    "metrics": {"metrics": ["CBA"]},
    "resources": {"resources": {"cnn": {"cpus": 2, "gpus": 0.5}, "svm": {"cpus": 4}}},
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME)
def test_keys_do_not_depend_on(changes):
    assert keys(PAPER, **changes) == keys(PAPER)


MORE = {
    "folds": {"folds": 11},
    "ratios": {"imbalance_ratios": [1, 2, 3, 5, 10]},
    "data sets": {"datasets": ["digits", "mnist", "cifar10", "stl10"]},
    "resamplers": {"arms": [CNN_ARM, SVM_ARM | {"resamplers": ["ros", *SVM_ARM["resamplers"]]}]},
    "arms": {"arms": [CNN_ARM, SVM_ARM, SVM_ARM | {"classifier": {"name": "svm", "gamma": "auto"}}]},
}


@pytest.mark.parametrize("changes", MORE.values(), ids=MORE)
def test_more_levels_leave_the_cells_that_were_as_they_were(changes):
    before, after = set(keys(PAPER)), set(keys(PAPER, **changes))
    assert before < after


# Each is one thing changed in the grid of one cell.
DIFFERENT = {
    "seed": {"seed": 1},
    "image size": {"image_size": 32},
    "interpolation": {"interpolation": "nearest"},
    "data set": {"datasets": ["stl10"]},
    "ratio": {"imbalance_ratios": [5.5]},
    "profile": {"imbalance_ratios": [{"name": "linear", "ir": 5}]},
    "class order": {"imbalance_ratios": [{"name": "harmonic", "ir": 5, "class_order": "given"}]},
    "test rule": {"imbalance_ratios": [{"name": "harmonic", "ir": 5, "test": "natural"}]},
    "split": {"split": "holdout"},
    "share": {"split": {"name": "holdout", "test": 0.2}},
    "validation": {"validation": 0.2},
    "official validation": {"validation": "official"},
    "C": the_arm(classifier={"name": "svm", "C": 2}),
    "gamma": the_arm(classifier={"name": "svm", "gamma": "auto"}),
    "gamma, a number": the_arm(classifier={"name": "svm", "gamma": 0.1}),
    "class weights": the_arm(classifier={"name": "svm", "class_weight": "balanced"}),
    "resampler": the_arm(resamplers=["none"]),
    "k_neighbors": the_arm(resamplers=[{"name": "smote", "k_neighbors": 4}]),
    "alpha": the_arm(representation={"name": "features", "alpha": 0.5}),
    "weights": the_arm(representation={"name": "features", "weights": "none"}),
    "embedded weights": the_arm(representation={"name": "features", "weights": "embedded", "alpha": 0.25}),
    "arm": the_arm(representation="image", classifier="cnn"),
    **{
        f"cnn's {name}": the_arm(representation="image", classifier={"name": "cnn", name: value})
        for name, value in {
            "alpha": 0.5,
            "weights": "none",
            "dense_units": 512,
            "epochs": 49,
            "batch_size": 64,
            "optimizer": "adam",
            "learning_rate": 1e-3,
            "class_weight": "balanced",
            "focal_gamma": 2,
            "logit_adjustment": 1,
            "balanced_batches": True,
            "threshold_moving": True,
        }.items()
    },
}


def test_every_single_change_is_another_key():
    found = {"nothing": keys(ONE)} | {name: keys(ONE, **changes) for name, changes in DIFFERENT.items()}
    assert {len(some) for some in found.values()} == {1}
    assert len({some[0] for some in found.values()}) == len(found)


def test_a_setting_that_came_later_is_in_the_key_only_where_it_is_not_at_its_default():
    for classifier in (
        {"name": "cnn", "class_weight": "none", "focal_gamma": 0, "balanced_batches": False},
        {"name": "svm", "class_weight": "none"},
    ):
        spelled = {"representation": "image" if classifier["name"] == "cnn" else "features", "classifier": classifier}
        assert keys(ONE, **the_arm(**spelled)) == keys(ONE, **the_arm(**spelled | {"classifier": classifier["name"]}))


def test_every_fold_is_another_key():
    assert len(set(keys(ONE, folds=10))) == 10


def test_every_parameter_of_every_resampler_is_in_its_key():
    resamplers = ["none", "ros", "rus", "smote", "smote_enn", "iht"]
    resamplers += [{"name": "smote_enn", "k_neighbors": 4}, {"name": "smote_enn", "n_neighbors": 4}]
    resamplers += [{"name": "smote_enn", "kind_sel": "mode"}, {"name": "iht", "cv": 4}]
    assert len(set(keys(ONE, **the_arm(resamplers=resamplers)))) == len(resamplers)


def of_weights(path):
    return keys(ONE, **the_arm(representation={"name": "features", "weights": str(path)}))


def of_data(path, name="mine"):
    return keys(ONE, datasets=[{"name": name, "path": str(path)}])


@pytest.mark.parametrize("key_of", [of_weights, of_data], ids=["weights", "data"])
def test_a_file_is_what_it_holds_wherever_it_lies(tmp_path, key_of):
    (tmp_path / "elsewhere").mkdir()
    here, elsewhere, other = tmp_path / "a.npz", tmp_path / "elsewhere" / "b.npz", tmp_path / "c.npz"
    here.write_bytes(b"some")
    elsewhere.write_bytes(b"some")
    other.write_bytes(b"other")
    assert key_of(here) == key_of(elsewhere)
    assert key_of(here) != key_of(other)


def test_a_data_sets_name_is_in_its_key_for_its_folds_follow_from_it(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"some")
    assert of_data(tmp_path / "a.npz", "mine") != of_data(tmp_path / "a.npz", "yours")


@pytest.mark.parametrize("status", get_args(Status))
def test_a_plan_keeps_what_is_final_and_repeats_the_rest(status):
    made = cells(ONE, folds=3)
    first, second, third = made
    planned = plan(made, {second.key: status, "0" * 16: "done"})  # and one that is no longer declared
    others = (first, third)
    assert (planned.done, planned.infeasible, planned.todo) == {
        "done": ((second,), (), others),
        "infeasible": ((), (second,), others),
    }.get(status, ((), (), (first, second, third)))


def test_a_plan_keeps_the_order_and_has_every_cell_once():
    made = cells(PAPER)
    planned = plan(made, {cell.key: ("done", "infeasible", "error")[i % 3] for i, cell in enumerate(made)})
    assert (planned.done, planned.infeasible, planned.todo) == (
        tuple(made[0::3]),
        tuple(made[1::3]),
        tuple(made[2::3]),
    )


def seeds_by(attribute, made):
    """The seeds that go with each value of an attribute of a cell."""
    found = {}
    for cell in made:
        seed = cell.fold_seed, *(cell.seed_of(purpose) for purpose in ("resample", "fit"))
        found.setdefault(attribute(cell), set()).add(seed)
    return found


def test_cells_of_one_data_set_fold_and_ratio_are_paired():
    found = seeds_by(lambda cell: (cell.dataset.name, cell.fold, cell.imbalance), cells(PAPER))
    assert {len(some) for some in found.values()} == {1}
    assert len({seed for some in found.values() for seed in some}) == 3 * 10 * 3


def test_the_samples_of_a_fold_are_the_same_at_every_ratio_and_differ_across_folds():
    found = {}
    for cell in cells(PAPER):
        found.setdefault((cell.dataset.name, cell.fold), set()).add(cell.fold_seed)
    assert {len(some) for some in found.values()} == {1}
    assert len({seed for some in found.values() for seed in some}) == 3 * 10


def test_resampling_and_fitting_have_streams_of_their_own():
    (cell,) = cells(ONE)
    assert len({cell.fold_seed, cell.seed_of("resample"), cell.seed_of("fit")}) == 3


@pytest.mark.parametrize("changes", MORE.values(), ids=MORE)
def test_more_levels_shift_no_seed(changes):
    before = seeds_by(str, cells(PAPER))
    after = seeds_by(str, cells(PAPER, **changes))
    assert {place: after[place] for place in before} == before


def test_another_seed_of_the_grid_is_another_study():
    assert {cell.fold_seed for cell in cells(PAPER)}.isdisjoint(cell.fold_seed for cell in cells(PAPER, seed=2021))


def test_a_key_of_a_name_beyond_ascii_stays_the_same():
    assert hash_of({"name": "Äpfel"}) == "2d311539f9ff62c6"


def forest(*max_features):
    return {"name": "sklearn", "estimator": "sklearn.ensemble.RandomForestClassifier"} | {
        "parameters": {"max_features": max_features[0] if len(max_features) == 1 else {"choose": [*max_features]}}
    }


def test_values_that_python_calls_equal_have_their_own_keys_whichever_comes_first():
    values = [(1,), (1.0,), (True,), (2, 1), (2, 1.0)]
    found = set()
    for order in (values, values[::-1]):
        canonical_json.cache_clear()  # as in another process
        identity.cache_clear()
        found.add(frozenset((repr(each), *keys(ONE, **the_arm(classifier=forest(*each)))) for each in order))
    (once,) = found
    assert len({key for _, key in once}) == len(values)
    assert len(keys(ONE, arms=[the_arm(classifier=forest(each))["arms"][0] for each in (1, 1.0)])) == 2
    (cell,) = cells(ONE, **the_arm(classifier=forest(1, 1.0)))
    assert len(cell.candidates) == 2
