"""Image folders: which files are taken, in which order, and what is said of every other layout."""

import io
import os
import re
import shutil
from hashlib import sha256

import numpy as np
import pytest
from folders import EVERYWHERE, SOUND, greys, in_folder, load, png, refusal
from PIL import ExifTags, Image

from raygrid.datasets import FromPath
from raygrid.datasets.image_folder import LAYOUT

IGNORED = {
    "train/cat/.DS_Store": b"x",
    "train/cat/Thumbs.db": b"x",
    "train/dog/desktop.ini": b"x",
    "train/dog/@eaDir/9.PNG/thumbnail.jpg": b"x",
    "train/.git/x": b"x",
    "__MACOSX/train/cat/._a.png": b"x",
}
BESIDE = {"README.md": b"x", "unlabelled/0.txt": b"x", "unlabelled/train/0.png": b"x"}


def encoded(file_format: str, **options) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (2, 2), (9, 9, 9)).save(content, file_format, **options)
    return content.getvalue()


@pytest.mark.parametrize("top", ["", "toy/", "data/toy v1/"])
@EVERYWHERE
def test_images_come_part_by_part_and_class_by_class_sorted(store, place, top, tmp_path):
    files = {top + name: content for name, content in (SOUND | IGNORED | BESIDE).items()}
    images = load(store(tmp_path / place, files))
    assert images.class_names == ("cat", "dog")
    assert images.X[:, 0, 0].tolist() == [[grey] * 3 for grey in (2, 3, 4, 5, 6, 7)]
    assert images.y.tolist() == [0, 0, 1, 1, 0, 1]
    assert {part: index.tolist() for part, index in images.parts.items()} == {"train": [0, 1, 2, 3], "test": [4, 5]}
    (note,) = images.notes
    assert re.fullmatch(f"not read: 3 files beside the folders of images, such as {top}(README|unlabelled).*", note)


@pytest.mark.parametrize("top", ["", "toy/", "data/toy v1/"])
@EVERYWHERE
def test_without_parts_there_are_only_classes(store, place, top, tmp_path):
    files = {"dog/0.png": png(3), "cat/1.png": png(2), "cat/0.png": png(1), "LICENSE": b"x", "dog/Thumbs.db": b"x"}
    path = store(tmp_path / place, {top + name: content for name, content in files.items()})
    assert load(path).class_names == ("cat", "dog")
    assert greys(path) == {"": [1, 2, 3]}


@pytest.mark.parametrize(
    ("folders", "parts"),
    [
        (("Train", "Test"), ["train", "test"]),
        (("TRAIN", "VAL", "TEST"), ["train", "validation", "test"]),
        (("train", "valid"), ["train", "validation"]),
        (("training", "dev"), ["train", "validation"]),
        (("Training", "Testing", "Validation"), ["train", "test", "validation"]),
        (("test",), ["test"]),
    ],
)
def test_parts_are_known_by_their_usual_names(folders, parts, tmp_path):
    files = {f"{folder}/{name}/0.png": png(i) for i, folder in enumerate(folders) for name in ("cat", "dog")}
    assert greys(in_folder(tmp_path / "toy", files)) == {part: [i, i] for i, part in enumerate(parts)}


def test_classes_may_be_called_like_parts(tmp_path):
    files = {f"{name}/0.png": png(1) for name in ("train", "car", "ship")}
    assert load(in_folder(tmp_path / "toy", files)).class_names == ("car", "ship", "train")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("new.jfif", encoded("JPEG")),
        ("new.jpe", encoded("JPEG")),
        ("new", encoded("JPEG")),
        ("new.jpg", encoded("PNG")),
        ("new.gif", encoded("GIF")),
        ("new.bmp", encoded("BMP")),
        ("new.tif", encoded("TIFF")),
        ("new.webp", encoded("WEBP", lossless=True)),
        ("new.ppm", encoded("PPM")),
    ],
)
@EVERYWHERE
def test_content_says_what_a_file_is(store, place, name, content, tmp_path):
    path = store(tmp_path / place, SOUND | {f"train/cat/{name}": content})
    assert greys(path)["train"] == [2, 3, 9, 4, 5]
    assert FromPath(name="toy", path=path).n_images() == 7


def test_what_was_done_to_images_is_said(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    deep = io.BytesIO()
    Image.fromarray(np.full((2, 2), 512, np.uint16)).save(deep, "PNG")
    files = SOUND | {"test/cat/1.jpg": encoded("JPEG", exif=exif), "test/cat/2.png": deep.getvalue()}
    images = load(in_folder(tmp_path / "toy", files))
    assert images.notes == (
        "16 bits a channel, 0 .. 65535, scaled to 0 .. 255: 1 of 8 images",
        "EXIF orientation applied: 1 of 8 images",
    )
    assert images.X[images.parts["test"], 0, 0, 0].tolist() == [6, 9, 2, 7]


def test_linked_class_folders_are_followed(tmp_path):
    in_folder(tmp_path / "real", SOUND)
    (tmp_path / "toy" / "train").mkdir(parents=True)
    (tmp_path / "toy" / "test").symlink_to(tmp_path / "real" / "test")
    for name in ("cat", "dog"):
        (tmp_path / "toy" / "train" / name).symlink_to(tmp_path / "real" / "train" / name)
    assert greys(tmp_path / "toy") == greys(tmp_path / "real")


def test_a_folders_fingerprint_depends_on_names_and_contents_only(tmp_path):
    here = in_folder(tmp_path / "here", SOUND)
    there = shutil.copytree(here, tmp_path / "there")
    os.utime(there / "test/cat/0.png", (0, 0))
    in_folder(there, IGNORED)
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
    lines = (f"{name}\0sha256:{sha256(content).hexdigest()}\n" for name, content in [("a/c", b"2"), ("b", b"1")])
    expected = sha256("".join(lines).encode()).hexdigest()
    assert FromPath(name="toy", path=folder).fingerprint() == f"sha256:{expected}"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"README.md": b"x"}, f"got no image in a class folder; expected {LAYOUT}"),
        (
            {"b/train/cat/0.png": png(1), "a/test/cat/0.png": png(1)},
            f"got a/test, b/train; expected each part once, {LAYOUT}; name one folder, or rename the others",
        ),
        (
            {"val/cat/0.png": png(1), "dev/cat/0.png": png(1)},
            f"got dev, val; expected each part once, {LAYOUT}; name one folder, or rename the others",
        ),
        (
            {"train/cat.0.png": png(1), "test/1.png": png(1)},
            f"got images in test/, train/ without class folders; expected {LAYOUT}",
        ),
        (
            SOUND | {"train/labels.csv": b"x", "test/2.png": png(1)},
            f"test/2.png: got a file outside the class folders; expected {LAYOUT}; move it or take it out\n"
            f"train/labels.csv: got a file outside the class folders; expected {LAYOUT}; move it or take it out",
        ),
        (
            {"cat/0.png": png(1), "dog/train/0.png": png(1), "dog/train/1.png": png(1), "dog/test/0.png": png(1)},
            f"dog/test: got a folder in a class folder; expected {LAYOUT}; move it or take it out\n"
            f"dog/train: got a folder in a class folder; expected {LAYOUT}; move it or take it out",
        ),
        ({"cat/0.png": png(1)}, "y: got 1 class; expected at least 2; add images of others"),
    ],
)
@EVERYWHERE
def test_another_layout_is_refused(store, place, files, message, tmp_path):
    assert sorted(refusal(store(tmp_path / place, files)).splitlines()) == message.splitlines()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no known format"),
        (b"hello", "no known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "no known format"),
        (
            png(0, (10000, 9000), "1"),
            "Image size (90000000 pixels) exceeds limit of 89478485 pixels, could be decompression bomb DOS attack.",
        ),
    ],
)
@EVERYWHERE
def test_a_file_that_does_not_decode_is_named(store, place, content, reason, tmp_path):
    message = refusal(store(tmp_path / place, SOUND | {"test/dog/0.png": content}))
    assert message == (
        f"test/dog/0.png: got a file that does not decode ({reason}); expected an image; replace it or take it out"
    )


def test_broken_files_are_all_named_and_after_20_counted(tmp_path):
    noise, deep = io.BytesIO(), io.BytesIO()
    Image.effect_noise((64, 64), 50).save(noise, "JPEG")
    Image.new("F", (1, 1)).save(deep, "TIFF")
    broken = {"test/cat/a.jpg": noise.getvalue()[:-500], "test/cat/b.tif": deep.getvalue()}
    lines = refusal(in_folder(tmp_path / "three", SOUND | broken | {"test/cat/c\n.txt": b"x"})).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("test/cat/a.jpg: got a file that does not decode (image file is truncated")
    assert lines[1] == (
        "test/cat/b.tif: got an image of mode F; expected 8 or 16 bits a channel; convert it first; "
        "replace it or take it out"
    )
    assert lines[2].startswith(r"test/cat/c\n.txt: got a file that does not decode (no known format)")
    many = {f"train/dog/{i:02}.txt": b"x" for i in range(23)}
    lines = refusal(in_folder(tmp_path / "many", SOUND | many)).splitlines()
    assert (len(lines), lines[-1]) == (21, "and 3 more")


def test_a_class_whose_name_is_not_utf_8_is_refused(tmp_path):
    folder = in_folder(tmp_path / "toy", SOUND)
    for part in ("train", "test"):
        (folder / part / "cat").rename(folder / part / os.fsdecode(b"fr\xeane"))
    assert refusal(folder) == r"class fr\xeane: got a name that is not UTF-8; rename it"
