"""STL-10's binary files: orientation, what is taken out of the archive, and a file for every fault."""

import io
import re
import tarfile

import numpy as np
import pytest

from raygrid.datasets import DATASETS, FromPath, stl10
from raygrid.errors import DataError

X = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), np.uint8)
PIXELS = X.transpose(0, 3, 2, 1).tobytes()  # channels first, then columns
SOUND = {
    "train_X.bin": PIXELS,
    "train_y.bin": bytes([1, 2, 1]),
    "test_X.bin": PIXELS[: 2 * 27648],
    "test_y.bin": bytes([2, 1]),
    "class_names.txt": b"airplane\nbird\n",
}


def in_folder(path, files):
    path.mkdir()
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def in_archive(path, files):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name if "/" in name else f"stl10_binary/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def load(path):
    return FromPath(name="toy", path=path).load(96, "nearest")


def refusal(path) -> str:
    with pytest.raises(DataError) as refused:
        load(path)
    return str(refused.value).removeprefix(f"toy: {path}: ")


@pytest.mark.parametrize(("store", "place"), [(in_folder, "stl10_binary"), (in_archive, "stl10_binary.tar.gz")])
def test_images_are_upright_and_labels_0_based(store, place, tmp_path):
    images = load(store(tmp_path / place, SOUND))
    assert np.array_equal(images.X, np.concatenate([X, X[:2]]))
    assert images.y.tolist() == [0, 1, 0, 1, 0]
    assert {part: index.tolist() for part, index in images.parts.items()} == {"train": [0, 1, 2], "test": [3, 4]}
    assert images.class_names == ("airplane", "bird")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"test_X.bin": PIXELS[:-1]},
            "test_X.bin: got 82943 bytes; expected a multiple of 27648, a 96x96 RGB image each",
        ),
        ({"train_y.bin": bytes([1, 0, 2])}, "train_y.bin: got label 0; expected 1 to 2"),
        ({"test_y.bin": bytes([1, 3])}, "test_y.bin: got label 3; expected 1 to 2"),
        (
            {"test_y.bin": bytes([1, 2, 1])},
            "got 2 images and 3 labels in test; get it anew",
        ),
    ],
)
def test_another_content_is_refused(changes, message, tmp_path):
    assert refusal(in_folder(tmp_path / "stl10_binary", SOUND | changes)) == message


@pytest.mark.parametrize(("store", "place"), [(in_folder, "stl10_binary"), (in_archive, "stl10_binary.tar.gz")])
def test_absent_files_are_named(store, place, tmp_path):
    files = {name: content for name, content in SOUND.items() if name not in ("train_y.bin", "test_X.bin")}
    assert refusal(store(tmp_path / place, files)) == (
        "got no train_y.bin, test_X.bin; expected train_X.bin, train_y.bin, test_X.bin, test_y.bin"
    )


def test_without_class_names_the_labels_are_stl_10s(tmp_path):
    files = {name: content for name, content in SOUND.items() if name != "class_names.txt"}
    assert refusal(in_folder(tmp_path / "stl10_binary", files)).startswith(
        "toy: y: got no image of car, cat, deer, dog, horse, monkey, ship, truck; expected every class"
    )


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: b"hello", lambda content: b""]
)
def test_a_broken_archive_is_refused(damage, tmp_path):
    path = in_archive(tmp_path / "stl10_binary.tar.gz", SOUND)
    path.write_bytes(damage(path.read_bytes()))
    expected = r"got (a broken archive \(.+\); expected a zip or a tar|no complete .tar.gz file); get it anew"
    assert re.fullmatch(expected, refusal(path))


def test_only_the_labelled_files_are_taken_out_and_only_to_their_places(tmp_path):
    elsewhere = {"../train_X.bin": b"x", "stl10_binary/../../x": b"x", "/stl10_binary/train_y.bin": b"x"}
    unlabelled = {"unlabeled_X.bin": b"x", "fold_indices.txt": b"x"}
    archive = in_archive(tmp_path / "stl10_binary.tar.gz", elsewhere | unlabelled | SOUND)
    stl10.extract(archive, tmp_path / "cache" / "stl10_binary")
    assert {p.name: p.read_bytes() for p in (tmp_path / "cache" / "stl10_binary").iterdir()} == SOUND
    assert {p.name for p in tmp_path.iterdir()} == {"stl10_binary.tar.gz", "cache"}


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path):
    path = tmp_path / "stl10_binary.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        link = tarfile.TarInfo("stl10_binary/train_X.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    assert refusal(path).startswith("got no train_X.bin, ")


def test_an_absurdly_large_member_is_refused(tmp_path):
    path = tmp_path / "stl10_binary.tar.gz"
    member = tarfile.TarInfo("stl10_binary/train_X.bin")
    member.size = 2**40
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(member)
    assert refusal(path) == "stl10_binary/train_X.bin: got 1099511627776 bytes; expected at most 1073741824"


def test_other_files_in_the_cache_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    folder = in_folder(tmp_path / "datasets" / "stl10_binary", SOUND)
    with pytest.raises(DataError, match=re.escape(f"stl10: {folder / 'train_X.bin'}: got md5:")):
        DATASETS["stl10"]().load(96, "nearest")


def test_another_archive_in_the_cache_is_refused_and_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    path = in_archive(tmp_path / "datasets" / "stl10_binary.tar.gz", SOUND)
    with pytest.raises(DataError, match=re.escape(f"stl10: {path}: got sha256:")):
        DATASETS["stl10"]().fetch()
    assert list((tmp_path / "datasets").iterdir()) == [path]
