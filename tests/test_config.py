"""The grid file: what it may say, its defaults, and every fault of a bad one with its place."""

import shutil
from pathlib import Path

import jsonschema
import pytest

from raygrid import resampling
from raygrid.axes import ALIASES, AXES
from raygrid.classifiers.svm import Svm
from raygrid.errors import GridError, UsageError
from raygrid.gridfile.exclusions import Exclusion
from raygrid.gridfile.faults import load_grid
from raygrid.gridfile.resources import Resources, changed
from raygrid.gridfile.schema import Grid
from raygrid.imbalance import Harmonic
from raygrid.networks.backbones import BackboneLevel
from raygrid.representations import Representation
from raygrid.splits import Official

PAPER = """\
name: paper
seed: 2020
folds: 10
image_size: 64
imbalance_ratios: [2, 5, 10]
datasets: [mnist, cifar10, stl10]
arms:
  - representation: image
    classifier: cnn
    resamplers: [none, ros, rus, smote, smote_enn, iht]
  - representation: features
    classifier: svm
    resamplers: [none, smote, smote_enn, iht]
"""

# The smallest grid. Faults below it are in line 7.
HEAD = "name: small\ndatasets: [digits]\narms:\n"
ARM = "  - representation: features\n    classifier: svm\n    resamplers: [none]\n"
SMALL = HEAD + ARM

TOP_KEYS = (
    "name, seed, folds, image_size, interpolation, imbalance, split, validation, datasets, arms, choose, exclude, "
    "metrics, resources"
)
CNN_KEYS = (
    "name, threshold_moving, loss, class_weight, class_weight_after, focal_gamma, logit_adjustment, epochs, "
    "batch_size, optimizer, learning_rate, momentum, weight_decay, schedule, augment, balanced_batches, "
    "early_stopping, select, precision, label, trained_layers, second_stage, backbone, alpha, weights, dense_units"
)
CLASSIFIERS = "cnn, keras, svm, linear_probe, knn, sklearn"
RESAMPLERS = ", ".join((*resampling.RESAMPLERS, *resampling.ALIASES))
METRICS = (
    "AvAcc, CBA, MAvG, accuracy, balanced_accuracy, f1_macro, f1_weighted, precision_macro, recall_macro, "
    "jaccard_macro, cohen_kappa_score, matthews_corrcoef, geometric_mean_score, roc_auc_ovr, average_precision"
)
NAME_RULE = "letters, digits, '.', '_' and '-' only, a letter or digit first"
NOTHING = "got nothing; expected a value; it has no default"


def load(tmp_path, text):
    path = tmp_path / "grid.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_grid(path)


def faults(tmp_path, text):
    """What is wrong with a file, its own path left out."""
    with pytest.raises(GridError) as refused:
        load(tmp_path, text)
    return str(refused.value).replace(f"{tmp_path}/grid.yaml:", "").replace(str(tmp_path), "HERE").splitlines()


def arm(representation="features", classifier="svm", resamplers="[none]"):
    """A grid of one arm: representation in line 4, classifier in 5, resamplers in 6."""
    return f"{HEAD}  - representation: {representation}\n    classifier: {classifier}\n    resamplers: {resamplers}\n"


def datasets(levels):
    return f"name: small\ndatasets: {levels}\narms:\n{ARM}"


def test_the_papers_grid_and_its_defaults(tmp_path):
    grid = load(tmp_path, PAPER)
    assert (grid.name, grid.seed, grid.folds, grid.image_size) == ("paper", 2020, 10, 64)
    assert grid.imbalance == tuple(Harmonic(ir=ir) for ir in (2, 5, 10))
    assert [dataset.name for dataset in grid.datasets] == ["mnist", "cifar10", "stl10"]
    assert (grid.interpolation, grid.exclude, grid.metrics, grid.resources) == (
        "bilinear",
        (),
        ("AvAcc", "CBA", "MAvG"),
        {},
    )
    image, features = grid.arms
    assert image.representation.model_dump() == {"name": "image"}
    assert image.classifier.as_dict() == {
        "name": "cnn",
        "backbone": "mobilenet",
        "alpha": 1.0,
        "weights": "imagenet",
        "dense_units": 1024,
        "epochs": 50,
        "batch_size": 32,
        "optimizer": "rmsprop",
        "learning_rate": 1e-4,
    }
    assert [resampler.as_dict() for resampler in image.resamplers] == [
        {"name": "none"},
        {"name": "ros"},
        {"name": "rus"},
        {"name": "smote", "k_neighbors": 5},
        {"name": "smote_enn", "k_neighbors": 5, "n_neighbors": 3, "kind_sel": "all"},
        {"name": "iht", "cv": 5},
    ]
    assert features.representation.model_dump() == {
        "name": "features",
        "backbone": "mobilenet",
        "alpha": 1.0,
        "weights": "imagenet",
        "layer": None,
        "pooling": "flatten",
    }
    assert features.classifier.as_dict() == {"name": "svm", "C": 1.0, "gamma": "scale"}
    assert [resampler.name for resampler in features.resamplers] == ["none", "smote", "smote_enn", "iht"]


def test_exclude_can_name_every_axis():
    assert {ALIASES.get(key, key) for key in Exclusion.model_fields} == set(AXES)


def test_what_is_not_said_is_the_papers(tmp_path):
    grid = load(tmp_path, SMALL)
    assert (grid.seed, grid.folds, grid.image_size) == (0, 10, 64)
    assert grid.imbalance == tuple(Harmonic(ir=ir) for ir in (2, 5, 10))
    assert (grid.split, grid.validation) == (Official(), None)


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[1].joinpath("experiments").glob("*.yaml")), ids=str)
def test_the_grids_that_come_along_are_valid(path, tmp_path):
    (tmp_path / "trashnet.zip").touch()  # a user downloads it
    grid = shutil.copy(path, tmp_path)
    assert load_grid(Path(grid)).name == path.stem


def test_every_key_that_a_grid_can_have(tmp_path):
    grid = load(
        tmp_path,
        arm(
            "{name: features, alpha: 0.25, weights: embedded}",
            "{name: svm, C: 10, gamma: 0.5}",
            "[none, smote, {name: smote, k_neighbors: 3}]",
        )
        + "interpolation: nearest\n"
        + "exclude: [{dataset: digits, ir: 10, fold: 0}]\n"
        + "metrics: [CBA]\n"
        + "resources: {svm: {cpus: 2}, cnn: {gpus: 0.5}}\n",
    )
    assert (grid.arms[0].classifier.C, grid.arms[0].classifier.gamma) == (10.0, 0.5)
    assert [getattr(resampler, "k_neighbors", None) for resampler in grid.arms[0].resamplers] == [None, 5, 3]
    assert grid.exclude[0].levels() == {"dataset": "digits", "imbalance": "10", "fold": "0"}
    assert (grid.interpolation, grid.metrics) == ("nearest", ("CBA",))
    assert {name: (some.cpus, some.gpus) for name, some in grid.resources.items()} == {"svm": (2, 0.0), "cnn": (1, 0.5)}


def test_a_resampler_listed_by_both_of_its_names_counts_once(tmp_path):
    grid = load(
        tmp_path,
        arm(resamplers="[ros, SMOTE, {name: smote, k_neighbors: 5}, RandomOverSampler, {name: SMOTE, k_neighbors: 3}]"),
    )
    found = [(level.name, getattr(level, "k_neighbors", None)) for level in grid.arms[0].resamplers]
    assert found == [("ros", None), ("smote", 5), ("smote", 3)]


def test_levels_as_only_spells_them(tmp_path):
    assert load(tmp_path, PAPER.replace("folds: 10", "folds: 2").replace("[2, 5, 10]", "[2, 2.5]")).levels() == {
        "dataset": ["mnist", "cifar10", "stl10"],
        "imbalance": ["2", "2.5"],
        "fold": ["0", "1"],
        "representation": ["image", "features"],
        "classifier": ["cnn", "svm"],
        "resampler": ["none", "ros", "rus", "smote", "smote_enn", "iht"],
    }


@pytest.mark.parametrize(
    ("spelled", "number"),
    [("1e-4", 1e-4), ("1E-4", 1e-4), ("2.5e-3", 2.5e-3), (".5e+1", 5.0), ("1", 1.0), ("0.1", 0.1)],
)
def test_numbers_are_numbers_however_spelled(tmp_path, spelled, number):
    grid = load(tmp_path, arm("image", f"{{name: cnn, learning_rate: {spelled}}}"))
    assert grid.arms[0].classifier.learning_rate == number


@pytest.mark.parametrize("name", ["1e4x", "e-4", "2020-paper"])
def test_names_that_look_like_numbers_stay_names(tmp_path, name):
    assert load(tmp_path, SMALL.replace("small", name)).name == name


def test_relative_paths_count_from_the_file(tmp_path, monkeypatch):
    folder = tmp_path / "grids"
    folder.mkdir()
    (folder / "data.npz").write_bytes(b"")
    (tmp_path / "w.h5").write_bytes(b"")
    text = datasets("[{name: mine, path: data.npz}]").replace(": features", ": {name: features, weights: ../w.h5}")
    for elsewhere in (tmp_path, folder, Path("/")):
        monkeypatch.chdir(elsewhere)
        grid = load(folder, text)
        assert grid.datasets[0].path == folder / "data.npz"
        assert grid.arms[0].representation.weights == str(tmp_path / "w.h5")
    monkeypatch.chdir(folder)
    assert load_grid(Path("grid.yaml")) == grid


def test_a_level_may_be_shared_by_an_anchor_and_changed_by_a_merge(tmp_path):
    grid = load(
        tmp_path,
        HEAD
        + "  - {representation: features, classifier: &svm {name: svm, C: 2, gamma: auto}, resamplers: [none]}\n"
        + "  - {representation: features, classifier: {<<: *svm, C: 3}, resamplers: [none]}\n",
    )
    assert [(some.classifier.C, some.classifier.gamma) for some in grid.arms] == [(2.0, "auto"), (3.0, "auto")]


# Text, and the lines it is refused with: line:column: key: message.
BAD = {
    "unknown key": (
        SMALL + "fold: 3\n",
        [f"7:7: fold: unknown key: got 'fold'; expected one of {TOP_KEYS}; did you mean 'folds'?"],
    ),
    "unknown key, nothing near": (
        SMALL + "xyz: 3\n",
        [f"7:6: xyz: unknown key: got 'xyz'; expected one of {TOP_KEYS}"],
    ),
    "parameters that are levels": (
        arm(
            "image",
            "{name: cnn, loss: {name: ldam, scales: 3}, augment: [flipp], second_stage: {name: crt, epochs: 0}}",
        ),
        [
            "5:56: arms[0].classifier.loss.scales: unknown key: got 'scales'; expected one of name, max_margin, scale; "
            "did you mean 'scale'?",
            "5:70: arms[0].classifier.augment[0]: got 'flipp'; expected one of flip, crop, mixup, remix; did you mean "
            "'flip'?",
            "5:112: arms[0].classifier.second_stage.epochs: got 0; expected a number above 0",
        ],
    ),
    "unknown key of a classifier": (
        arm("image", "{name: cnn, epoch: 2}"),
        [
            f"5:36: arms[0].classifier.epoch: unknown key: got 'epoch'; expected one of {CNN_KEYS}; "
            "did you mean 'epochs'?"
        ],
    ),
    "unknown key of a resampler": (
        arm(resamplers="[none, {name: smote, k: 3}]"),
        ["6:41: arms[0].resamplers[1].k: unknown key: got 'k'; expected one of name, sampling_strategy, k_neighbors"],
    ),
    "unknown key of a bare data set": (
        datasets("[{name: digits, size: 8}]"),
        ["2:33: datasets[0].size: unknown key: got 'size'; expected one of name"],
    ),
    "unknown key of a data set of one's own": (
        datasets("[{name: mine, path: ., size: 8}]"),
        ["2:40: datasets[0].size: unknown key: got 'size'; expected one of name, path"],
    ),
    "unknown key of an arm, and so a missing one": (
        SMALL.replace("resamplers", "resampler"),
        [
            f"4:5: arms[0]: resamplers: {NOTHING}",
            "6:16: arms[0].resampler: unknown key: got 'resampler'; "
            "expected one of representation, classifier, resamplers; did you mean 'resamplers'?",
        ],
    ),
    "unknown key of resources": (
        SMALL + "resources: {svm: {cpu: 2}}\n",
        [
            "7:24: resources.svm.cpu: unknown key: got 'cpu'; expected one of cpus, gpus, memory_gb, timeout_s; "
            "did you mean 'cpus'?"
        ],
    ),
    "one card and a half": (
        SMALL + "resources: {cnn: {gpus: 1.5}}\n",
        ["7:25: resources.cnn.gpus: got 1.5; expected a share of one card, or a whole number of cards"],
    ),
    "resources of an unknown classifier": (
        SMALL + "resources: {svn: {cpus: 2}}\n",
        [f"7:18: resources.svn: got 'svn'; expected one of {CLASSIFIERS}; did you mean 'svm'?"],
    ),
    "wrong type": (SMALL + "folds: many\n", ["7:8: folds: got 'many'; expected a whole number"]),
    "a number with a point": (SMALL + "folds: 2.0\n", ["7:8: folds: got 2.0; expected a whole number"]),
    "yes is no number": (SMALL + "folds: yes\n", ["7:8: folds: got True; expected a whole number"]),
    "nor is true": (
        arm(classifier="{name: svm, C: true}"),
        ["5:32: arms[0].classifier.C: got True; expected a number"],
    ),
    "a number in quotes": (
        arm(classifier="{name: svm, C: '1'}"),
        ["5:32: arms[0].classifier.C: got '1'; expected a number"],
    ),
    "a name that is a number": (SMALL.replace("small", "5"), ["1:7: name: got 5; expected a name"]),
    "a name with a blank": (SMALL.replace("small", "a b"), [f"1:7: name: got 'a b'; expected {NAME_RULE}"]),
    "a name that leaves runs/": (SMALL.replace("small", "../x"), [f"1:7: name: got '../x'; expected {NAME_RULE}"]),
    "unknown data set": (
        datasets("[mnist, cifar]"),
        ["2:19: datasets[1]: got 'cifar'; expected one of digits, mnist, cifar10, stl10; did you mean 'cifar10'?"],
    ),
    "unknown data set in a mapping": (
        datasets("[{name: xyz}]"),
        ["2:12: datasets[0]: got 'xyz'; expected one of digits, mnist, cifar10, stl10"],
    ),
    "unknown representation": (
        arm("feature"),
        [
            "4:21: arms[0].representation: got 'feature'; expected one of image, raw, features, autoencoder, "
            "finetuned; did you mean 'features'?"
        ],
    ),
    "unknown classifier": (
        arm(classifier="swm"),
        [f"5:17: arms[0].classifier: got 'swm'; expected one of {CLASSIFIERS}; did you mean 'svm'?"],
    ),
    "unknown resampler": (
        arm(resamplers="[smot]"),
        [f"6:18: arms[0].resamplers[0]: got 'smot'; expected one of {RESAMPLERS}; did you mean 'smote'?"],
    ),
    "unknown metric": (
        SMALL + "metrics: [CBA, AvACC]\n",
        [f"7:16: metrics[1]: got 'AvACC'; expected one of {METRICS}, module:function; did you mean 'AvAcc'?"],
    ),
    "unknown interpolation": (
        SMALL + "interpolation: linear\n",
        [
            "7:16: interpolation: got 'linear'; expected one of nearest, bilinear, bicubic, lanczos, box; "
            "did you mean 'bilinear'?"
        ],
    ),
    "a word where a number or one of two words may stand": (
        arm(classifier="{name: svm, gamma: scal}"),
        ["5:36: arms[0].classifier.gamma: got 'scal'; expected one of scale, auto; did you mean 'scale'?"],
    ),
    "a number there": (
        arm(classifier="{name: svm, gamma: -1}"),
        ["5:36: arms[0].classifier.gamma: got -1; expected a number above 0"],
    ),
    "an empty axis": (datasets("[]"), ["2:11: datasets: got []; expected at least one level"]),
    "no resamplers": (arm(resamplers="[]"), ["6:17: arms[0].resamplers: got []; expected at least one level"]),
    "nothing after the colon": (datasets(""), ["2:10: datasets: got None; expected a list"]),
    "one level that is no list": (datasets("digits"), ["2:11: datasets: got 'digits'; expected a list"]),
    "a level that is no name": (
        arm(resamplers="[5]"),
        ["6:18: arms[0].resamplers[0]: got 5; expected a name, or a mapping with a name"],
    ),
    "a level without a name": (
        arm(classifier="{C: 1}"),
        ["5:17: arms[0].classifier: got {'C': 1}; expected a name, or a mapping with a name"],
    ),
    "a level twice": (
        arm(resamplers="[smote, none, smote]"),
        ["6:17: arms[0].resamplers: got 'smote' twice; expected different levels; remove one"],
    ),
    "a level twice, once with its default": (
        arm(resamplers="[smote, {name: smote, k_neighbors: 5}]"),
        ["6:17: arms[0].resamplers: got 'smote' twice; expected different levels; remove one"],
    ),
    "an unknown key of a level by its other name": (
        arm(resamplers="[none, {name: SMOTE, k: 3}]"),
        [
            "6:41: arms[0].resamplers[1].k: unknown key: got 'k'; expected one of name, sampling_strategy, k_neighbors",
        ],
    ),
    "an imbalance ratio twice": (
        SMALL + "imbalance_ratios: [2, 2.0]\n",
        ["7:19: imbalance_ratios: got '2' twice; expected different levels; remove one"],
    ),
    "an arm twice": (
        SMALL + ARM,
        ["4:3: arms: got 'features + svm' twice; expected different levels; remove one"],
    ),
    "a key twice": (SMALL + "seed: 1\nseed: 2\n", ["8: got key 'seed' twice; remove one"]),
    "keys twice, one within another": (
        arm(classifier="{name: svm, C: 1, C: 2}") + "seed: 1\nseed: 2\n",
        ["5: got key 'C' twice; remove one", "8: got key 'seed' twice; remove one"],
    ),
    "a ratio below 1": (
        SMALL + "imbalance_ratios: [2, 0.5]\n",
        ["7:23: imbalance_ratios[1]: got 0.5; expected a number of at least 1"],
    ),
    "not a number": (
        SMALL + "imbalance_ratios: [.nan, .inf]\n",
        [
            "7:20: imbalance_ratios[0]: got nan; expected a finite number",
            "7:26: imbalance_ratios[1]: got inf; expected a finite number",
        ],
    ),
    "not a number, where a word could be": (
        arm(classifier="{name: svm, gamma: .nan}"),
        ["5:36: arms[0].classifier.gamma: got nan; expected a finite number"],
    ),
    "no folds": (SMALL + "folds: 0\n", ["7:8: folds: got 0; expected a number above 0"]),
    "a negative seed": (SMALL + "seed: -1\n", ["7:7: seed: got -1; expected a number of at least 0"]),
    "images too small for the network": (
        SMALL + "image_size: 31\n",
        ["7:13: image_size: got 31; expected a number of at least 32"],
    ),
    "no neighbours": (
        arm(resamplers="[{name: smote, k_neighbors: 0}]"),
        ["6:45: arms[0].resamplers[0].k_neighbors: got 0; expected a number above 0"],
    ),
    "a path where nothing is": (
        datasets("[{name: mine, path: nowhere/x.npz}]"),
        [
            "2:31: datasets[0].path: got 'nowhere/x.npz'; expected an existing file or folder; "
            "there is nothing at HERE/nowhere/x.npz"
        ],
    ),
    "a path that is none": (
        datasets("[{name: mine, path: 5}]"),
        ["2:31: datasets[0].path: got 5; expected a path"],
    ),
    "a data set's name that is no file name": (
        datasets("[{name: a b, path: .}]"),
        [f"2:19: datasets[0].name: got 'a b'; expected {NAME_RULE}"],
    ),
    "weights where nothing is": (
        arm("{name: features, weights: w.h5}"),
        [
            "4:47: arms[0].representation.weights: got 'w.h5'; expected imagenet, embedded, none or the path of a "
            "weights file; there is nothing at HERE/w.h5"
        ],
    ),
    "everything missing": ("seed: 1\n", [f"1:1: {key}: {NOTHING}" for key in ("arms", "datasets", "name")]),
    "half an arm": (
        HEAD + "  - {representation: features}\n",
        [f"4:5: arms[0]: {key}: {NOTHING}" for key in ("classifier", "resamplers")],
    ),
    "a classifier for vectors on images": (
        arm("image", "svm"),
        [
            "4:5: arms[0]: got classifier 'svm', which takes vectors, on representation 'image', which gives images; "
            "change one of them"
        ],
    ),
    "a classifier for images on vectors": (
        arm("features", "cnn"),
        [
            "4:5: arms[0]: got classifier 'cnn', which takes images, on representation 'features', "
            "which gives vectors; change one of them"
        ],
    ),
    "a width that nobody published": (
        arm("{name: features, alpha: 0.3}"),
        ["4:21: arms[0].representation: got alpha 0.3 with weights imagenet; expected one of 0.25, 0.5, 0.75, 1.0"],
    ),
    "a width that is not embedded": (
        arm("image", "{name: cnn, weights: embedded}"),
        ["5:17: arms[0].classifier: got alpha 1.0 with weights embedded; expected one of 0.25"],
    ),
    "a level changed by a merge": (
        arm(classifier="&svm {name: svm, C: 2}")
        + "  - {representation: image, classifier: {<<: *svm, C: -3}, resamplers: [none]}\n",
        ["7:55: arms[1].classifier.C: got -3; expected a number above 0"],
    ),
    "exclude an unknown axis": (
        SMALL + "exclude: [{data: digits}]\n",
        [
            "7:18: exclude[0].data: unknown key: got 'data'; expected one of dataset, imbalance, ir, fold, "
            "representation, classifier, resampler; did you mean 'dataset'?"
        ],
    ),
    "exclude unknown levels": (
        SMALL + "folds: 2\nexclude: [{dataset: mnist, fold: 2}, {resampler: nine, ir: 2}, {ir: 3.5}]\n",
        [
            "8:21: exclude[0].dataset: got 'mnist'; expected one of digits",
            "8:34: exclude[0].fold: got '2'; expected one of 0, 1",
            "8:50: exclude[1].resampler: got 'nine'; expected one of none; did you mean 'none'?",
            "8:69: exclude[2].ir: got '3.5'; expected one of 2, 5, 10",
        ],
    ),
    "exclude everything": (
        SMALL + "exclude: [{}]\n",
        ["7:11: exclude[0]: got no level, which would leave out every cell; expected at least one; name it"],
    ),
    "two data sets of one name": (
        datasets("[digits, {name: mine, path: .}, {name: mine, path: ..}, {name: digits, path: .}]"),
        [
            "2:50: datasets[2].name: got the name 'mine' twice; give each data set a name of its own",
            "2:74: datasets[3].name: got the name 'digits' twice; give each data set a name of its own",
        ],
    ),
    "not YAML": ("name: [small\n", ["2:1: not YAML: expected ',' or ']', but got '<stream end>'"]),
    "a tab": (SMALL + "\tseed: 1\n", ["7:1: not YAML: found character '\\t' that cannot start any token"]),
    "a control character": ("name: \x01\n", [" not YAML: special characters are not allowed"]),
    "no such month": (SMALL + "seed: 2020-13-01\n", [" not YAML: month must be in 1..12"]),
    "two documents": (SMALL + "---\nname: b\n", ["7:1: not YAML: but found another document"]),
    "a list for a key": (SMALL + "? [a]\n: 3\n", ["7:3: not YAML: found unhashable key"]),
    "an empty file": ("", [" got nothing; expected a mapping with name, datasets, arms"]),
    "nothing but a comment": ("# later\n", [" got nothing; expected a mapping with name, datasets, arms"]),
    "a list": ("- name: small\n", [" got a list; expected a mapping with name, datasets, arms"]),
    "a word": ("small\n", [" got a text; expected a mapping with name, datasets, arms"]),
    "an alias of what it lies in": (
        SMALL + "x: &x {y: *x}\n",
        ["7:8: got a value in 41 others, or in itself; expected at most 40"],
    ),
    "not UTF-8": (b"name: \xff\n", [" got bytes that are not UTF-8 (invalid start byte); expected a YAML file"]),
    "everything at once, in the order of the file": (
        "name: my grid\n"
        "folds: 0\n"
        "imbalance_ratios: [2, 0.5]\n"
        "datasets: [cifar10, minst]\n"
        "arms:\n"
        "  - representation: features\n"
        "    classifier: {name: svm, c: 1, C: .inf}\n"
        "    resamplers: [smote, smot]\n"
        "  - representation: image\n"
        "    resamplers: []\n"
        "metrix: [CBA]\n",
        [
            f"1:7: name: got 'my grid'; expected {NAME_RULE}",
            "2:8: folds: got 0; expected a number above 0",
            "3:23: imbalance_ratios[1]: got 0.5; expected a number of at least 1",
            "4:21: datasets[1]: got 'minst'; expected one of digits, mnist, cifar10, stl10; did you mean 'mnist'?",
            f"7:32: arms[0].classifier.c: unknown key: got 'c'; expected one of {', '.join(Svm.model_fields)}",
            "7:38: arms[0].classifier.C: got inf; expected a finite number",
            f"8:25: arms[0].resamplers[1]: got 'smot'; expected one of {RESAMPLERS}; did you mean 'smote'?",
            f"9:5: arms[1]: classifier: {NOTHING}",
            "10:17: arms[1].resamplers: got []; expected at least one level",
            f"11:9: metrix: unknown key: got 'metrix'; expected one of {TOP_KEYS}; did you mean 'metrics'?",
        ],
    ),
}


def test_a_parameter_of_a_network_within_a_representation_is_the_networks(tmp_path):
    (line,) = faults(tmp_path, arm("{name: finetuned, network: {name: cnn, epoch: 2}}"))
    assert line.startswith(
        "4:67: arms[0].representation.network.epoch: unknown key: got 'epoch'; expected one of name, "
    )
    assert line.endswith("; did you mean 'epochs'?")


@pytest.mark.parametrize(("text", "lines"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_line_by_line(tmp_path, text, lines):
    assert faults(tmp_path, text) == lines


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system", "!!python/object/new:os.system", "!!python/name:os.system"]
)
def test_a_file_cannot_run_code(tmp_path, tag):
    witness = tmp_path / "ran"
    lines = faults(tmp_path, SMALL + f"seed: {tag} ['touch {witness}']\n")
    name = tag.removeprefix("!!")
    assert lines == [f"7:7: not YAML: could not determine a constructor for the tag 'tag:yaml.org,2002:{name}'"]
    assert not witness.exists()


@pytest.mark.parametrize(
    ("name", "reason"), [("none.yaml", "No such file or directory"), (".", "Is a directory")], ids=["missing", "folder"]
)
def test_a_file_that_cannot_be_read(tmp_path, name, reason):
    with pytest.raises(GridError) as refused:
        load_grid(tmp_path / name)
    assert str(refused.value) == f"{tmp_path / name}: {reason}; name a grid file"


def test_the_json_schema_knows_what_the_file_may_say():
    schema = Grid.model_json_schema()
    assert schema["required"] == ["name", "datasets", "arms"]
    assert schema["additionalProperties"] is False
    assert list(schema["properties"]) == [*TOP_KEYS.split(", "), "imbalance_ratios"]
    properties, models = schema["properties"], schema["$defs"]
    assert properties["datasets"]["items"]["anyOf"][0]["enum"] == ["digits", "mnist", "cifar10", "stl10"]
    assert {"$ref": "#/$defs/FromPath"} in properties["datasets"]["items"]["anyOf"]
    resamplers = models["Arm"]["properties"]["resamplers"]
    assert resamplers["minItems"] == 1
    assert resamplers["items"]["anyOf"][0]["enum"] == RESAMPLERS.split(", ")
    assert list(models["Cnn"]["properties"]) == CNN_KEYS.split(", ")
    one, several = models["Svm"]["properties"]["gamma"]["anyOf"]
    assert one["anyOf"] == [{"enum": ["scale", "auto"], "type": "string"}, {"exclusiveMinimum": 0, "type": "number"}]
    assert several["properties"]["choose"]["items"] == one


def test_editors_accept_the_papers_grid_and_refuse_a_bad_one():
    jsonschema = pytest.importorskip("jsonschema")
    yaml = pytest.importorskip("yaml")
    validator = jsonschema.Draft202012Validator(Grid.model_json_schema())
    paper = yaml.safe_load(PAPER)
    assert not list(validator.iter_errors(paper))
    assert not list(validator.iter_errors(paper | {"datasets": ["mnist", {"name": "mine", "path": "x.npz"}]}))
    assert not list(validator.iter_errors(paper | {"metrics": ["CBA", "f1_macro", "my_pkg.module:function"]}))
    for bad in ({"folds": 0}, {"fold": 1}, {"datasets": ["xyz"]}, {"imbalance_ratios": []}, {"metrics": ["AUC"]}):
        assert list(validator.iter_errors(paper | bad))


def test_flags_change_the_resources_of_the_file():
    assert changed({}, ["cnn:gpus=0.25,cpus=2", "cnn:timeout_s=5"]) == {
        "cnn": Resources(cpus=2, gpus=0.25, timeout_s=5)
    }
    kept = {"svm": Resources(cpus=4, memory_gb=2)}
    assert changed(kept, ["svm:cpus=1"]) == {"svm": Resources(cpus=1, memory_gb=2)}
    assert kept == {"svm": Resources(cpus=4, memory_gb=2)}


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("cn:gpus=1", f"got 'cn'; expected one of {CLASSIFIERS}; did you mean 'cnn'?"),
        ("cnn", "expected CLASSIFIER:NAME=NUMBER,..."),
        ("cnn:gpu=1", "gpu: got '1'"),
        ("cnn:gpus=x", "gpus: got 'x'"),
        ("cnn:gpus=-1", "gpus: got '-1'"),
        ("cnn:gpus=1.5", "expected a share of one card, or a whole number of cards"),
        ("svm:cpus=1.5", "cpus: got '1.5'"),
    ],
)
def test_a_flag_that_does_not_say_what_a_trial_may_use_is_refused_in_one_line(flag, said):
    with pytest.raises(UsageError) as refused:
        changed({}, [flag])
    assert str(refused.value).startswith(f"--resources {flag}: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("resampler", "is_valid"),
    [
        ("smote", True),
        ("SMOTE", True),
        ("Smote", False),
        ({"name": "SMOTE", "k_neighbors": 3}, True),
        ({"name": "SMOTE", "k": 3}, False),
        ({"name": "smote", "sampling_strategy": 0.5}, True),
        ({"name": "smote", "sampling_strategy": {"0": 20}}, True),
        ({"name": "smote", "sampling_strategy": 2}, False),
        ({"k_neighbors": 3}, False),
        ({"name": "my_module:Mine", "whatever": 3}, True),
    ],
)
def test_an_editor_knows_each_level_and_its_parameters(tiny, resampler, is_valid):
    validator = jsonschema.Draft202012Validator(Grid.model_json_schema())
    arm = tiny["arms"][0] | {"resamplers": [resampler]}
    assert validator.is_valid(tiny | {"arms": [arm]}) == is_valid


def test_what_a_level_needs_is_fetched_whatever_the_order_of_its_bases():
    class BackboneFirst(BackboneLevel, Representation): ...

    class BackboneLast(Representation, BackboneLevel): ...

    assert BackboneFirst.fetch is BackboneLast.fetch is BackboneLevel.fetch
    assert BackboneFirst.to_fetch is BackboneLast.to_fetch is BackboneLevel.to_fetch
