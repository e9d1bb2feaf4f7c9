"""What a grid file leaves to be chosen: how it is written, what cells it makes, and what is wrong with some."""

import jsonschema
import pytest
import yaml

from raygrid.cells import expand
from raygrid.classifiers.svm import Svm
from raygrid.errors import GridError
from raygrid.gridfile.choices import MOST_CANDIDATES
from raygrid.gridfile.faults import load_grid
from raygrid.gridfile.schema import Grid
from raygrid.level import labels

SVM = {"name": "svm", "C": {"choose": [0.1, 1, 10]}, "gamma": {"choose": ["auto", "scale"]}}
SMOTE = {"name": "smote", "k_neighbors": {"choose": [3, 5]}}


def arm(tiny, classifier=SVM, resamplers=("none",)):
    return tiny["arms"][0] | {"classifier": classifier, "resamplers": list(resamplers)}


@pytest.fixture
def cells(tiny):
    """The cells of the first fold at IR 2, of an arm and settings."""

    def made(classifier=SVM, resamplers=("none",), **settings):
        grid = tiny | {"arms": [arm(tiny, classifier, resamplers)], "folds": 1, "imbalance_ratios": [2]} | settings
        return expand(Grid.model_validate(grid))

    return made


@pytest.fixture
def faults(tmp_path):
    """What is wrong with a classifier in line 8, given as YAML, and with a grid's other lines, which follow."""

    def found(classifier="svm", *, resampler="none", representation="image", rest=""):
        path = tmp_path / "grid.yaml"
        path.write_text(
            f"name: small\nseed: 1\ndatasets: [digits]\narms:\n  - representation: {representation}\n    resamplers:\n"
            f"      - {resampler}\n    classifier: {classifier}\n{rest}"
        )
        with pytest.raises(GridError) as refused:
            load_grid(path)
        return str(refused.value).replace(f"{path}:", "").splitlines()

    return found


def test_candidates_are_the_product_of_all_lists_in_the_order_of_the_file(cells):
    (cell,) = cells(resamplers=[SMOTE])
    assert cell.n_candidates == 12
    chosen = [cell.chosen_values(candidate) for candidate in cell.candidates]
    pairs = [(C, gamma, k) for C in (0.1, 1.0, 10.0) for gamma in ("auto", "scale") for k in (3, 5)]
    assert [(*each["classifier"].values(), *each["resampler"].values()) for each in chosen] == pairs
    assert cell.n_fits == 12 * 3 + 1


def test_a_candidate_is_the_cell_that_declares_its_values(cells):
    (cell,), (plain,) = (
        cells(resamplers=[SMOTE]),
        cells({"name": "svm", "C": 10, "gamma": "auto"}, [SMOTE | {"k_neighbors": 5}]),
    )
    assert cell.candidates[9].key == plain.key
    assert len({each.key for each in (cell, *cell.candidates)}) == 13


def test_a_key_has_the_candidates_and_how_they_are_chosen_and_nothing_else(cells):
    (cell,) = cells()
    assert cell.identity()["choose"] == {"by": "AvAcc", "n_splits": 3}
    (same,) = cells(SVM | {"C": {"choose": [0.1, 1.0, 10.0]}}, choose={"by": "AvAcc", "n_splits": 3})
    assert same.key == cell.key
    others = [
        cells(choose={"n_splits": 4}),
        cells(choose={"by": "CBA"}),
        cells(choose={"scored_on": "validation"}, validation=0.2),
        cells(validation=0.2),
        cells(SVM | {"C": {"choose": [1, 0.1, 10]}}),  # ties go to the first
        cells(SVM | {"C": {"choose": [0.1, 1]}}),
    ]
    assert len({each.key for (each,) in others} | {cell.key}) == 7


def test_cells_that_choose_nothing_keep_their_key(cells):
    (plain,), (told) = cells("svm"), cells("svm", choose={"by": "CBA", "n_splits": 5})
    assert plain.key == told[0].key
    assert "choose" not in plain.identity()
    assert plain.n_fits == 1


def test_tables_only_and_exclude_have_a_name_for_it(tiny):
    arms = [arm(tiny, "svm"), arm(tiny, resamplers=["none", SMOTE])]
    grid = Grid.model_validate(tiny | {"arms": arms})
    assert grid.levels()["classifier"] == ["svm", "svm-chosen-C-gamma"]
    assert grid.levels()["resampler"] == ["none", "smote-chosen-k_neighbors"]
    assert len(expand(grid)) == 12
    excluded = Grid.model_validate(tiny | {"arms": arms, "exclude": [{"classifier": "svm-chosen-C-gamma"}]})
    assert {cell.classifier.text for cell in expand(excluded)} == {"svm"}


def test_two_levels_that_choose_from_different_lists_are_told_apart_in_tables(tiny):
    wide, narrow = ({"name": "svm", "C": {"choose": values}} for values in ([0.1, 1, 10], [1, 10]))
    grid = Grid.model_validate(tiny | {"arms": [arm(tiny, wide), arm(tiny, narrow)]})
    levels = [each.classifier for each in grid.arms]
    assert list(labels(levels).values()) == ["svm-chosen-C(C=0.1|1.0|10.0)", "svm-chosen-C(C=1.0|10.0)"]


def test_a_parameter_within_a_mapping_can_be_chosen(cells):
    forest = {
        "estimator": "sklearn.ensemble.RandomForestClassifier",
        "parameters": {"max_depth": {"choose": [2, None]}},
    }
    (cell,) = cells({"name": "sklearn"} | forest)
    assert [each.classifier.parameters for each in cell.candidates] == [{"max_depth": 2}, {"max_depth": None}]
    assert cell.chosen_values(cell.candidates[1]) == {"classifier": {"parameters.max_depth": None}}


@pytest.mark.parametrize(
    ("classifier", "lines"),
    [
        (
            "{name: svm, C: {choose: []}}",
            ["8:41: arms[0].classifier.C.choose: got []; expected a list of at least two values to choose from"],
        ),
        (
            "{name: svm, C: {chose: [1, 2]}}",
            [
                "8:32: arms[0].classifier.C: got {'chose': [1, 2]}; expected a value, or a mapping with choose; "
                "did you mean 'choose'?"
            ],
        ),
        (
            "{name: svm, class_weight: {name: effective_number, beta: {Choose: [0.9, 0.99]}}}",
            [
                "8:74: arms[0].classifier.class_weight.beta: got {'Choose': [0.9, 0.99]}; expected a value, or a "
                "mapping with choose; did you mean 'choose'?"
            ],
        ),
        (
            "{name: svm, C: {choose: 3}}",
            ["8:41: arms[0].classifier.C.choose: got 3; expected a list of at least two values to choose from"],
        ),
        (
            "{name: svm, C: {choose: [3]}}",
            [
                "8:41: arms[0].classifier.C.choose: got [3]; expected a list of at least two values to choose from; "
                "write 3 without choose"
            ],
        ),
        (
            "{name: svm, C: {choose: [1, -1, x]}}",
            [
                "8:45: arms[0].classifier.C.choose[1]: got -1; expected a number above 0",
                "8:49: arms[0].classifier.C.choose[2]: got 'x'; expected a number",
            ],
        ),
        (
            "{name: svm, C: {choose: [1, 2, 1.0]}, gamma: {choose: [auto, scale]}}",
            ["8:48: arms[0].classifier.C.choose[2]: got 1.0 twice; expected different values; remove one"],
        ),
        (
            "{name: svm, C: {choose: [1, 2], by: CBA}}",
            [
                "8:53: arms[0].classifier.C.by: unknown key: got 'by' beside choose; expected choose alone; "
                "how it is chosen, `choose:` says once for the whole file"
            ],
        ),
        (
            "{name: svm, c: {choose: [1, 2]}}",
            [f"8:32: arms[0].classifier.c: unknown key: got 'c'; expected one of {', '.join(Svm.model_fields)}"],
        ),
        (
            "{name: svm, C: {choose: [1, 2]}, gamma: x}",
            ["8:57: arms[0].classifier.gamma: got 'x'; expected one of scale, auto"],
        ),
    ],
)
def test_each_fault_of_a_list_is_one_line_at_its_place(faults, classifier, lines):
    assert faults(classifier, representation="raw") == lines


def test_more_candidates_than_a_study_can_train_are_refused(faults):
    values = list(range(1, 12))
    two = f"{{name: svm, C: {{choose: {values}}}, gamma: {{choose: {values}}}}}"
    (line,) = faults(two, representation="raw")
    assert line.startswith("8:17: arms[0].classifier: got 121 candidates")
    assert f"expected at most {MOST_CANDIDATES}; leave values out of choose" in line
    (line,) = faults(
        f"{{name: svm, C: {{choose: {values}}}}}",
        resampler=f"{{name: smote, k_neighbors: {{choose: {values}}}}}",
        representation="raw",
    )
    assert line.startswith("5:5: arms[0]: got 121 candidates")


def test_what_must_be_known_before_the_cells_cannot_be_chosen(faults):
    (line,) = faults(representation="{name: features, alpha: {choose: [0.25, 1.0]}}")
    assert line == (
        "5:45: arms[0].representation.alpha: got choose; only parameters of classifiers and resamplers can be chosen; "
        "write one value"
    )
    (line,) = faults(
        representation="{name: autoencoder, train_on: resampled}",
        resampler="{name: smote, k_neighbors: {choose: [3, 5]}}",
    )
    assert "got choose in resampler 'smote', which gives what representation 'autoencoder' is trained on" in line


def test_settings_that_contradict_each_other_are_refused(faults):
    (line,) = faults("svm", representation="raw", rest="choose: {scored_on: validation}\n")
    assert line == (
        "9:9: choose: got scored_on: validation without a validation part; write a share beside it, `validation: 0.2`, "
        "or leave scored_on out"
    )
    (line,) = faults(
        "svm", representation="raw", rest="choose: {scored_on: validation, n_splits: 3}\nvalidation: 0.2\n"
    )
    assert line.endswith("got n_splits with scored_on: validation, which is not split; leave one of them out")
    (line,) = faults("svm", representation="raw", rest="choose: {by: f1_macro}\n")
    assert line == "9:14: choose.by: got 'f1_macro'; expected one of AvAcc, CBA, MAvG"
    (line,) = faults("svm", representation="raw", rest="choose: {n_splits: 1}\n")
    assert line == "9:20: choose.n_splits: got 1; expected a number of at least 2"


@pytest.mark.parametrize(
    ("classifier", "is_valid"),
    [
        (SVM, True),
        ({"name": "svm", "C": {"choose": [1]}}, False),
        ({"name": "svm", "C": {"choose": [1, -2]}}, False),
        ({"name": "svm", "C": {"choose": [1, 2], "by": "CBA"}}, False),
    ],
)
def test_an_editor_knows_choose(tiny, classifier, is_valid):
    validator = jsonschema.Draft202012Validator(Grid.model_json_schema())
    assert validator.is_valid(tiny | {"arms": [arm(tiny, classifier)]}) == is_valid


def test_a_level_that_chooses_goes_through_yaml(tmp_path, tiny):
    path = tmp_path / "grid.yaml"
    path.write_text(yaml.safe_dump(tiny | {"arms": [arm(tiny)], "choose": {"by": "MAvG", "n_splits": 2}}))
    grid = load_grid(path)
    assert grid.choose.text == "MAvG on 2 inner folds"
    assert len(grid.arms[0].classifier.candidates) == 6
