"""The registry, identities, the digits that are always there, and MNIST from the cache."""

import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from raygrid.datasets import DATASETS, FromPath, digits
from raygrid.errors import DataError

SHARED = Path(__file__).parents[2] / "shared" / "data"


def test_every_registered_name_is_its_levels_own():
    assert {name: level().name for name, level in DATASETS.items()} == {name: name for name in DATASETS}
    assert list(DATASETS) == ["digits", "mnist", "cifar10", "stl10"]


@pytest.mark.parametrize("name", DATASETS)
def test_a_named_identity_needs_no_download(name, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    identity = DATASETS[name]().identity()
    assert identity["name"] == name
    assert re.fullmatch("sha256:[0-9a-f]{64}", identity["fingerprint"])
    assert not list(tmp_path.iterdir())


def test_importing_loads_no_heavy_library():
    heavy = "{'sklearn', 'imblearn', 'keras', 'tensorflow', 'ray', 'scipy', 'pandas'}"
    code = f"import sys, raygrid.datasets; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert (run.stdout, run.stderr) == ("[]\n", "")


def test_digits_are_two_thirds_of_each_class_on_the_full_scale():
    level = DATASETS["digits"]()
    level.fetch()
    images = level.load(8, "nearest")
    assert images.X.shape == (1797, 8, 8, 3)
    assert {part: len(index) for part, index in images.parts.items()} == {"train": 1198, "test": 599}
    assert np.bincount(images.y[images.parts["train"]]).tolist() == [119, 121, 118, 122, 121, 121, 121, 119, 116, 120]
    assert (images.X.min(), images.X.max()) == (0, 255)
    assert images.class_names == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


def test_digits_that_differ_from_their_fingerprint_are_refused(monkeypatch):
    monkeypatch.setattr(digits, "FINGERPRINT", "sha256:00")
    with pytest.raises(DataError, match=r"^digits: got sha256:5b0916[0-9a-f]{58}; expected sha256:00; install "):
        DATASETS["digits"]().load(8, "nearest")


def test_mnist_of_another_content_in_the_cache_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    path = tmp_path / "datasets" / "mnist.npz"
    path.parent.mkdir()
    path.write_bytes(b"hello")
    with pytest.raises(DataError) as refused:
        DATASETS["mnist"]().load(28, "nearest")
    assert str(refused.value) == (
        f"mnist: {path}: got sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824; "
        "expected sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1; "
        "delete it to download it again, or name it in the grid file as {name: mnist, path: ...}"
    )


def test_a_path_is_identified_by_name_and_content_only(tmp_path):
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "toy.npz").write_bytes(b"hello")
    here, there = (FromPath(name="toy", path=tmp_path / place / "toy.npz") for place in ("here", "there"))
    assert here.identity() == there.identity()
    assert here.identity() == {
        "name": "toy",
        "fingerprint": "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    }


def test_a_path_of_no_known_kind_is_refused_before_anything_is_loaded(tmp_path):
    path = tmp_path / "toy.csv"
    path.write_text("1,2")
    with pytest.raises(DataError) as refused:
        FromPath(name="toy", path=path).fetch()
    assert str(refused.value) == (
        f"toy: {path}: got .csv; expected an .npz of arrays of images and labels, a folder of images "
        "<class>/<image> or {train,test}/<class>/<image> or a .zip or .tar of one, or STL-10's stl10_binary folder or "
        ".tar.gz"
    )


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", ".hidden", "-x", "ä", "x\n"])
def test_a_name_that_could_not_be_part_of_a_file_name_is_refused(name, tmp_path):
    with pytest.raises(ValidationError, match="name"):
        FromPath(name=name, path=tmp_path)


@pytest.mark.skipif(not (SHARED / "mnist.npz").exists(), reason="no shared/data/mnist.npz beside this checkout")
def test_the_real_mnist_is_read():
    images = FromPath(name="mnist", path=SHARED / "mnist.npz").load(8, "nearest")
    assert images.X.shape == (70000, 8, 8, 3)
    test = images.parts["test"]
    assert np.bincount(images.y[test]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.skipif(not (SHARED / "retinamnist.npz").exists(), reason="no shared/data/retinamnist.npz beside this")
def test_the_real_retinamnist_has_three_parts():
    images = FromPath(name="retina", path=SHARED / "retinamnist.npz").load(8, "nearest")
    sizes = {part: np.bincount(images.y[index]).tolist() for part, index in images.parts.items()}
    assert list(sizes) == ["train", "validation", "test"]
    assert sizes["train"] == [486, 128, 206, 194, 66]
    assert [sum(counts) for counts in sizes.values()] == [1080, 120, 400]


@pytest.mark.skipif(not (SHARED / "trashnet.zip").exists(), reason="no shared/data/trashnet.zip beside this checkout")
def test_the_real_trashnet_has_no_parts():
    images = FromPath(name="trash", path=SHARED / "trashnet.zip").load(8, "nearest")
    assert images.parts == {}
    assert dict(zip(images.class_names, np.bincount(images.y).tolist(), strict=True)) == {
        **{"cardboard": 403, "glass": 501, "metal": 410, "paper": 594, "plastic": 482, "trash": 137}
    }


@pytest.mark.slow
@pytest.mark.parametrize(("name", "n_train", "n_test"), [("cifar10", 50000, 10000), ("stl10", 5000, 8000)])
def test_the_real_zips_are_read(name, n_train, n_test):
    path = SHARED / f"{name}.zip"
    if not path.exists():
        pytest.skip(f"no shared/data/{path.name} beside this checkout")
    images = FromPath(name=name, path=path).load(8, "box")
    assert np.bincount(images.y[images.parts["train"]]).tolist() == [n_train // 10] * 10
    assert np.bincount(images.y[images.parts["test"]]).tolist() == [n_test // 10] * 10
    assert images.class_names[0] == "airplane"


def test_other_processes_get_the_fingerprint_and_read_no_file_for_it(tmp_path):
    file = tmp_path / "mine.npz"
    file.write_bytes(b"hello")
    level = FromPath(name="mine", path=file)
    before, identity, after = pickle.loads(pickle.dumps(level)), level.identity(), pickle.loads(pickle.dumps(level))
    file.unlink()
    assert after.identity() == identity
    assert after == before == level
    assert len({after, before, level}) == 1
