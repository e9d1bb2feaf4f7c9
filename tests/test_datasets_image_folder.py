"""Image folders, on disk and zipped: what is taken, in which order, and a file for every fault."""

import hashlib
import io
import os
import re
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from raygrid.datasets import FromPath
from raygrid.errors import DataError

LAYOUT = "train/<class>/<image> and test/<class>/<image>, possibly in one top folder"


def png(grey: int, size: tuple[int, int] = (2, 2), mode: str = "L") -> bytes:
    content = io.BytesIO()
    Image.new(mode, size, grey).save(content, "PNG")
    return content.getvalue()


SOUND = {
    "train/dog/10.png": png(4),
    "train/dog/9.PNG": png(5, (3, 7)),
    "train/cat/b.png": png(3),
    "train/cat/a.png": png(2),
    "test/cat/0.png": png(6),
    "test/dog/0.png": png(7),
}
IGNORED = {
    "train/cat/.DS_Store": b"x",
    "train/.git/x": b"x",
    "__MACOSX/train/cat/._a.png": b"x",
    "README.md": b"x",
    "unlabelled/0.txt": b"x",
    "unlabelled/train/0.png": b"x",
}


def in_folder(path, files):
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return path


def in_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def load(path):
    return FromPath(name="toy", path=path).load(1, "nearest")


def refusal(path) -> str:
    with pytest.raises(DataError) as refused:
        load(path)
    return str(refused.value).removeprefix(f"toy: {path}: ")


@pytest.mark.parametrize("top", ["", "toy/"])
@pytest.mark.parametrize(("store", "place"), [(in_folder, "toy"), (in_zip, "toy.ZIP")])
def test_images_come_class_by_class_sorted_and_other_files_are_ignored(store, place, top, tmp_path):
    images = load(store(tmp_path / place, {top + name: content for name, content in (SOUND | IGNORED).items()}))
    assert images.class_names == ("cat", "dog")
    assert images.X_train[:, 0, 0].tolist() == [[2, 2, 2], [3, 3, 3], [4, 4, 4], [5, 5, 5]]
    assert (images.y_train.tolist(), images.y_test.tolist()) == ([0, 0, 1, 1], [0, 1])
    assert images.X_test[:, 0, 0, 0].tolist() == [6, 7]


def test_linked_class_folders_are_followed(tmp_path):
    in_folder(tmp_path / "real", SOUND)
    (tmp_path / "toy" / "train").mkdir(parents=True)
    (tmp_path / "toy" / "test").symlink_to(tmp_path / "real" / "test")
    for name in ("cat", "dog"):
        (tmp_path / "toy" / "train" / name).symlink_to(tmp_path / "real" / "train" / name)
    assert len(load(tmp_path / "toy").X_train) == 4


def test_a_folders_fingerprint_depends_on_names_and_contents_only(tmp_path):
    here = in_folder(tmp_path / "here", SOUND)
    there = shutil.copytree(here, tmp_path / "there")
    os.utime(there / "test/cat/0.png", (0, 0))
    in_folder(there, {".DS_Store": b"x"})
    expected = FromPath(name="toy", path=here).fingerprint()
    assert re.fullmatch("sha256:[0-9a-f]{64}", expected)
    assert FromPath(name="toy", path=there).fingerprint() == expected
    (there / "test/cat/0.png").rename(there / "test/cat/1.png")
    assert FromPath(name="toy", path=there).fingerprint() != expected
    (there / "test/cat/1.png").rename(there / "test/cat/0.png")
    (there / "test/cat/0.png").write_bytes(png(8))
    assert FromPath(name="toy", path=there).fingerprint() != expected


def test_a_folders_fingerprint_never_changes(tmp_path):
    folder = in_folder(tmp_path, {"b": b"1", "a/c": b"2"})
    lines = (
        f"{name}\0sha256:{hashlib.sha256(content).hexdigest()}\n" for name, content in [("a/c", b"2"), ("b", b"1")]
    )
    expected = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert FromPath(name="toy", path=folder).fingerprint() == f"sha256:{expected}"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, f"got no train/ and test/; expected {LAYOUT}"),
        ({"cat/0.png": png(1)}, f"got no train/ and test/; expected {LAYOUT}"),
        ({"a/b/train/cat/0.png": png(1)}, f"got no train/ and test/; expected {LAYOUT}"),
        (
            {"b/train/cat/0.png": png(1), "a/test/cat/0.png": png(1)},
            f"got train/ and test/ in a, b; expected {LAYOUT}",
        ),
        (
            {"train/cat/0.png": png(1), "train/dog/0.png": png(1), "test/dog/0.png": png(1), "test/eel/0.png": png(1)},
            "got cat, eel in only one of train/ and test/; expected the same classes in both",
        ),
        (
            {"train/cat/0.png": png(1)},
            "got cat in only one of train/ and test/; expected the same classes in both",
        ),
        ({"test/cat/labels.csv": b"1"}, f"got test/cat/labels.csv; expected {LAYOUT}"),
        ({"train/labels.png": png(1)}, f"got train/labels.png; expected {LAYOUT}"),
        ({"train/cat/deeper/0.png": png(1)}, f"got train/cat/deeper/0.png; expected {LAYOUT}"),
    ],
)
@pytest.mark.parametrize(("store", "place"), [(in_folder, "toy"), (in_zip, "toy.zip")])
def test_another_layout_is_refused(store, place, files, message, tmp_path):
    (tmp_path / "toy").mkdir()
    assert refusal(store(tmp_path / place, files)).startswith(message)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no known format"),
        (b"hello", "no known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "no known format"),
        (png(1000, mode="I;16"), "got an image of mode I;16; expected 8 bits a channel; convert it first"),
        (
            png(0, (10000, 9000), "1"),
            "Image size (90000000 pixels) exceeds limit of 89478485 pixels, could be decompression bomb DOS attack.",
        ),
    ],
)
@pytest.mark.parametrize(("store", "place"), [(in_folder, "toy"), (in_zip, "toy.zip")])
def test_a_file_that_does_not_decode_is_named(store, place, content, reason, tmp_path):
    message = refusal(store(tmp_path / place, SOUND | {"test/dog/0.png": content}))
    assert message == (
        f"test/dog/0.png: got a file that does not decode ({reason}); expected an image; replace it or take it out"
    )


def test_a_truncated_image_is_refused(tmp_path):
    noise = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(noise, "JPEG")
    message = refusal(in_folder(tmp_path / "toy", SOUND | {"test/dog/0.jpg": noise.getvalue()[:-500]}))
    assert message.startswith("test/dog/0.jpg: got a file that does not decode (image file is truncated")


@pytest.mark.parametrize(
    "name", ["/etc/x.png", "../x.png", "train/cat/../../../x.png", "C:/x.png", r"..\x.png", r"\\h\s\x"]
)
def test_a_zip_member_that_leaves_the_archive_is_refused(name, tmp_path):
    path = in_zip(tmp_path / "toy.zip", SOUND | {name: png(1)})
    assert refusal(path) == f"{name}: got a name that leaves the archive; expected a relative path"


def test_a_zip_bomb_is_refused(tmp_path):
    path = in_zip(tmp_path / "toy.zip", SOUND | {"train/cat/c.png": bytes(64 * 2**20 + 1)})
    assert path.stat().st_size < 2**17
    assert refusal(path) == "train/cat/c.png: got 67108865 bytes unzipped; expected at most 67108864"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_in_a_zip_is_refused(tmp_path):
    path = in_zip(tmp_path / "toy.zip", SOUND)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("train/cat/a.png", png(9))
    assert refusal(path) == "got 'train/cat/a.png' twice; expected each name once"


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    path = tmp_path / "toy.zip"
    path.write_bytes(b"hello")
    assert refusal(path) == "got a broken archive (File is not a zip file); expected a zip; get it anew"


def test_a_damaged_zip_member_is_named(tmp_path):
    path = tmp_path / "toy.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in SOUND.items():
            archive.writestr(name, content)
    path.write_bytes(path.read_bytes().replace(SOUND["test/dog/0.png"], SOUND["test/cat/0.png"]))
    assert refusal(path) == (
        "test/dog/0.png: got a file that does not decode (Bad CRC-32 for file 'test/dog/0.png'); "
        "expected an image; replace it or take it out"
    )


def test_a_zipped_file_that_is_called_like_the_top_folder_is_ignored(tmp_path):
    files = {f"toy/{name}": content for name, content in SOUND.items()} | {"toy": b"x"}
    assert len(load(in_zip(tmp_path / "toy.zip", files)).X_train) == 4


def test_nothing_is_written_beside_a_zip(tmp_path):
    path = in_zip(tmp_path / "toy.zip", SOUND)
    assert np.array_equal(load(path).y_test, [0, 1])
    assert list(tmp_path.iterdir()) == [path]
