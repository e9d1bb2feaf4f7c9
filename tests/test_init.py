"""`raygrid init`: a grid file for the images in a folder."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from raygrid.cells import expand
from raygrid.choosing import check_class_sizes
from raygrid.commands.init import grid_text
from raygrid.gridfile.faults import load_grid
from raygrid.images import Labels
from raygrid.representations.features import Features
from raygrid.resampling.over_sampling import SMOTE
from raygrid.splits import Official, StratifiedKFold


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def images_in(folder, **sizes):
    rng = np.random.default_rng(0)
    for name, size in sizes.items():
        (folder / name).mkdir(parents=True)
        for i in range(size):
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / name / f"{i}.png")
    return folder


def labels(sizes, parts=None, names="abcdefgh"):
    y = np.repeat(np.arange(len(sizes)), sizes)
    return Labels(y, tuple(names[: len(sizes)]), parts or {})


def loaded(text):
    np.savez("images.npz", x=np.zeros((2, 8, 8), np.uint8), y=np.arange(2))
    Path("grid.yaml").write_text(text)
    return load_grid(Path("grid.yaml"))


def test_the_file_is_run_as_it_is(raygrid, tmp_path):
    images_in(tmp_path / "my images!", cat=12, dog=15, eel=30)
    code, out, err = raygrid("init", "my images!")
    assert (code, err) == (0, "reading my_images: 57 images; this is kept in the cache\n") or (code, err) == (0, "")
    assert out == (
        "my images!: 57 images of 3 classes, 12 (cat) to 30 (eel); no train and test parts\n"
        "my_images.yaml: written; read it, then: raygrid plan my_images.yaml && raygrid run my_images.yaml\n"
    )
    grid = load_grid(Path("my_images.yaml"))
    assert grid.name == "my_images" and len(expand(grid)) == 50
    assert isinstance(grid.arms[0].representation, Features)
    code, out, _ = raygrid("plan", "my_images.yaml")
    assert code == 0 and "9 to 24" in out and "0 infeasible" in out


@pytest.mark.parametrize(
    ("sizes", "n_splits", "neighbours"),
    [((30, 12), 5, 5), ((30, 10), 5, 5), ((30, 9), 2, 3), ((30, 4), 2, 1), ((30, 3), 2, None)],
)
def test_split_and_smote_fit_the_smallest_class(sizes, n_splits, neighbours):
    grid = loaded(grid_text("mine", "images.npz", labels(sizes)))
    assert grid.split == StratifiedKFold(n_splits=n_splits) and grid.folds == 10
    found = [level.k_neighbors for level in grid.arms[0].resamplers if isinstance(level, SMOTE)]
    assert found == ([] if neighbours is None else [neighbours])


@pytest.mark.parametrize(("smallest", "chosen"), [(6, 1), (10, 4), (20, None), (3, None)])
def test_smote_has_another_hint_where_c_is_chosen(smallest, chosen):
    text = grid_text("mine", "images.npz", labels((30, smallest)))
    assert ("to choose C" in text) == (chosen is not None)
    if chosen is None:
        return
    assert f"to choose C, k_neighbors: {chosen}\n" in text
    svm = "{name: svm, C: {choose: [0.1, 1]}}"
    smote = f"{{name: smote, k_neighbors: {chosen}}}"
    arms = f"arms: [{{representation: raw, classifier: {svm}, resamplers: [{smote}]}}]\n"
    cell = expand(loaded(text.partition("arms:")[0] + arms))[0]
    n_train = smallest // 2 if smallest < 10 else smallest - -(-smallest // 5)
    check_class_sizes(cell, np.repeat([0, 1], [30, n_train]))


def test_parts_that_are_there_are_used():
    of = labels((6, 6))
    parts = {"train": np.flatnonzero(np.arange(12) % 2), "test": np.flatnonzero(np.arange(12) % 2 == 0)}
    grid = loaded(grid_text("mine", "images.npz", Labels(of.y, of.class_names, parts)))
    assert grid.split == Official()
    assert [level.k_neighbors for level in grid.arms[0].resamplers if isinstance(level, SMOTE)] == [2]


def test_a_class_that_cannot_be_trained_on_is_refused(raygrid, tmp_path):
    images_in(tmp_path / "mine", cat=1, dog=9, eel=1)
    assert raygrid("init", "mine") == (
        2,
        "",
        "mine: got too few images: 'cat' 1 and 'eel' 1; expected at least 2, one to train and one to test on; add "
        "some, or leave the class out\n",
    )
    images_in(tmp_path / "parts" / "train", dog=9, eel=3)
    images_in(tmp_path / "parts" / "test", cat=5, dog=9)
    code, _, err = raygrid("init", "parts")
    assert (code, err.splitlines()[-1]) == (
        2,
        "parts: got too few images: 'cat' 0 in train and 'eel' 0 in test; expected at least 1; add some, or leave the "
        "class out",
    )
    assert not [*tmp_path.glob("*.yaml")]
    images_in(tmp_path / "two", cat=2, dog=9)
    assert raygrid("init", "two")[0] == 0
    code, out, _ = raygrid("plan", "two.yaml")
    assert code == 0 and "0 infeasible" in out


def test_any_names_of_classes_and_paths_are_only_text():
    names = ("a\nname: evil", "b: {c", "#d\x00", "e\u2028f")
    np.savez("it's #1, [odd].npz", x=np.zeros((2, 8, 8), np.uint8), y=np.arange(2))
    Path("odd.yaml").write_text(grid_text("mine", "it's #1, [odd].npz", labels((9, 9, 9, 9), names=names)))
    grid = load_grid(Path("odd.yaml"))
    assert grid.name == "mine"
    assert grid.datasets[0].path.name == "it's #1, [odd].npz"


def test_many_classes_are_listed_on_several_lines():
    names = tuple(f"class number {i}" for i in range(100))
    text = grid_text("mine", "images.npz", labels((20,) * 100, names=names))
    assert all(name in text for name in names)
    assert max(map(len, text.splitlines())) < 130


def test_nothing_is_replaced_and_nothing_is_made_of_nothing(raygrid, tmp_path):
    (tmp_path / "mine.yaml").write_text("keep")
    images_in(tmp_path / "mine", a=10, b=10)
    line = "mine.yaml: got a file that is there already; name another: raygrid init mine FILE.yaml\n"
    assert raygrid("init", "mine") == (2, "", line)
    assert (tmp_path / "mine.yaml").read_text() == "keep"
    code, out, err = raygrid("init", "nowhere")
    assert (code, out, len(err.splitlines())) == (2, "", 1) and err.startswith("nowhere: got nothing there")
    (tmp_path / "empty").mkdir()
    code, out, err = raygrid("init", "empty")
    assert (code, out) == (2, "") and "empty" in err
    assert not (tmp_path / "empty.yaml").exists() and not (tmp_path / "nowhere.yaml").exists()
