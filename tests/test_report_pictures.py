"""Pictures of samples on the page, and the files that its cells link to."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from made_up import study
from PIL import Image

from raygrid.commands.job import open_job
from raygrid.commands.pictures import pictures_of
from raygrid.images import load_images
from raygrid.report.kept_files import KeptFiles, kept_files
from raygrid.report.pictures import class_pictures, disputed, disputed_block, picture
from raygrid.report.results import Results
from raygrid.storage.store import Store

N = 200


def test_a_picture_is_small_and_keeps_its_shape():
    image = np.full((96, 48, 3), (200, 30, 40), dtype=np.uint8)
    uri = picture(image)
    shown = Image.open(BytesIO(b64decode(uri.removeprefix("data:image/jpeg;base64,"))))
    assert shown.size == (24, 48)
    assert np.abs(np.array(shown).astype(int) - (200, 30, 40)).max() < 6
    assert len(uri) < 3000


def test_a_picture_of_each_class_and_not_of_too_many():
    X = np.arange(30, dtype=np.uint8)[:, None, None, None] * np.ones((8, 8, 3), dtype=np.uint8)
    few, many = class_pictures({"few": {"X": X, "y": np.arange(30) % 3}, "many": {"X": X, "y": np.arange(30)}}).values()
    assert few == [picture(X[0]), picture(X[1]), picture(X[2])]
    assert len(many) == 20


@pytest.fixture
def kept():
    """What three cells kept of one test: each is right where its own random numbers are small."""
    rng = np.random.default_rng(0)
    y, test = np.arange(N) % 4, {"test_index": np.arange(N)[::-1].copy()}
    return {
        name: {**test, "y_true": y, "y_pred": np.where(rng.random(N) < share, y, (y + 1) % 4)}
        for name, share in (("good", 0.9), ("fair", 0.6), ("poor", 0.3))
    }


def test_disputed_counts_all_and_shows_some_of_every_pair(kept):
    X = np.zeros((N, 4, 4, 3), dtype=np.uint8)
    found = disputed({"X": X}, kept)
    right = {name: arrays["y_pred"] == arrays["y_true"] for name, arrays in kept.items()}
    assert found.cells == ("good", "fair", "poor")
    for i, one in enumerate(kept):
        for j, other in enumerate(kept):
            assert found.only[i][j] == (right[one] & ~right[other]).sum()
            ours = [
                p[i] == true != p[j] for p, true in zip(zip(*found.predicted, strict=True), found.true, strict=True)
            ]
            assert sum(ours) >= min(6, found.only[i][j])
    assert len(found.pictures) == len(found.samples) == len(found.true) <= 36
    positions = [N - 1 - sample for sample in found.samples]  # the test's indices run backwards
    assert list(found.true) == [position % 4 for position in positions]


def test_cells_that_were_tested_on_other_samples_are_not_compared(kept):
    kept["poor"]["test_index"] = np.arange(N)
    assert disputed({"X": np.zeros((N, 4, 4, 3), dtype=np.uint8)}, kept) is None
    assert disputed({"X": np.zeros((N, 4, 4, 3), dtype=np.uint8)}, {"good": kept["good"]}) is None
    assert disputed({"X": np.zeros((N, 4, 4, 3), dtype=np.uint8)}, {"old": {}, "good": kept["good"]}) is None


def test_methods_are_compared_in_one_fold_at_the_highest_ratio():
    found = study(folds=2, datasets=["stl10", "mnist"])
    block = found.places.set_index("key").loc[disputed_block(found.places)]
    assert set(block["dataset"]) == {"stl10"}
    assert set(block["imbalance"]) == {10.0}
    assert set(block["fold"]) == {0}
    assert len(block) == 10
    assert disputed_block(found.places.iloc[:0]) == []


def test_images_are_shown_only_where_the_cache_has_them(tmp_path):
    (tmp_path / "g.yaml").write_text(
        "name: g\nfolds: 1\ndatasets: [digits]\nimbalance_ratios: [2]\n"
        "arms: [{representation: raw, classifier: svm, resamplers: [none]}]\n"
    )
    job = open_job(tmp_path / "g.yaml", stores=[tmp_path / "store"], cache=tmp_path / "cache", only=[])
    results = Results(job.name, job.cells, {}, ["AvAcc"], "", {})
    assert pictures_of(job, results).classes == {}
    assert not (tmp_path / "cache").exists()
    load_images(job.cells[0], job.cache)
    pictures = pictures_of(job, results)
    assert [len(those) for those in pictures.classes.values()] == [10]
    assert pictures.disputed is None


def test_a_page_at_a_url_links_to_nothing(tmp_path):
    store = Store(tmp_path / "store")
    assert kept_files({"key": store}, Store("memory://somewhere").root / "report") == KeptFiles()
    assert kept_files({"key": Store("memory://somewhere")}, tmp_path / "report").stores == {}
    assert kept_files({"key": store}, tmp_path / "report").stores == {"key": "../store"}
