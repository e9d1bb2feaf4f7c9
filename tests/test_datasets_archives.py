"""Zips and tars as different systems write them, and those that are refused."""

import tarfile
import zipfile

import pytest
from folders import SOUND, greys, in_tar, in_zip, load, png, refusal

EXPECTED = {"train": [2, 3, 4, 5], "test": [6, 7]}


@pytest.mark.parametrize("name", ["toy.tar", "toy.tgz", "toy.tar.gz", "toy.tar.bz2", "toy.tar.xz"])
def test_a_tar_may_be_compressed_in_any_way(name, tmp_path):
    assert greys(in_tar(tmp_path / name, SOUND)) == EXPECTED


@pytest.mark.parametrize(("store", "suffix"), [(in_zip, ".zip"), (in_tar, ".tar")])
def test_content_says_what_an_archive_is(store, suffix, tmp_path):
    path = store(tmp_path / f"toy{suffix}", SOUND).rename(tmp_path / "toy.download")
    assert greys(path) == EXPECTED


def test_backslashes_of_windows_and_dot_slashes_of_bsdtar_are_read(tmp_path):
    windows = {"toy\\": b""} | {f"toy\\{name}".replace("/", "\\"): content for name, content in SOUND.items()}
    bsdtar = {f"./{name}": content for name, content in SOUND.items()} | {"./train/cat/._a.png": b"x"}
    assert greys(in_zip(tmp_path / "windows.zip", windows)) == EXPECTED
    assert greys(in_zip(tmp_path / "bsdtar.zip", bsdtar)) == EXPECTED
    assert greys(in_tar(tmp_path / "bsdtar.tar.xz", bsdtar)) == EXPECTED


@pytest.mark.parametrize(
    "name", ["/etc/x.png", "../x.png", "train/cat/../../../x.png", "C:/x.png", r"..\x.png", r"\\h\s\x"]
)
@pytest.mark.parametrize(("store", "place"), [(in_zip, "toy.zip"), (in_tar, "toy.tar")])
def test_a_member_that_leaves_the_archive_is_refused(store, place, name, tmp_path):
    path = store(tmp_path / place, SOUND | {name: png(1)})
    assert refusal(path) == f"{name}: got a name that leaves the archive; expected a relative path"


def test_a_zip_bomb_is_refused(tmp_path):
    path = in_zip(tmp_path / "toy.zip", SOUND | {"train/cat/c.png": bytes(64 * 2**20 + 1)})
    assert path.stat().st_size < 2**17
    assert refusal(path) == (
        "train/cat/c.png: got 67108865 bytes; expected at most 67108864; replace it or take it out"
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("again", ["train/cat/a.png", r"train\cat\a.png", "./train//cat/a.png"])
def test_a_name_twice_is_refused(again, tmp_path):
    path = in_zip(tmp_path / "toy.zip", SOUND)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(again, png(9))
    assert refusal(path) == f"{again}: got it twice; expected each name once"


@pytest.mark.parametrize("suffix", [".zip", ".npz", ".tar", ".tar.gz", ".tgz"])
def test_a_file_that_is_no_archive_is_refused(suffix, tmp_path):
    path = tmp_path / f"toy{suffix}"
    path.write_bytes(b"hello")
    assert refusal(path) == f"got no complete {suffix} file; get it anew"


@pytest.mark.parametrize(("store", "place"), [(in_zip, "toy.zip"), (in_tar, "toy.tar"), (in_tar, "toy.tar.gz")])
def test_an_archive_that_broke_off_is_refused(store, place, tmp_path):
    files = {f"train/cat/{i}.png": bytes(range(i, 256)) * 20 for i in range(20)}
    path = store(tmp_path / place, files)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    message = refusal(path)
    assert message.startswith(("got a broken archive (", "got no complete ."))
    assert message.endswith("; get it anew")


def test_damaged_zip_members_are_named(tmp_path):
    path = tmp_path / "toy.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in SOUND.items():
            archive.writestr(name, content)
    path.write_bytes(path.read_bytes().replace(SOUND["test/dog/0.png"], SOUND["test/cat/0.png"]))
    assert refusal(path) == (
        "test/dog/0.png: got a file that does not decode (Bad CRC-32 for file 'test/dog/0.png'); "
        "expected an image; replace it or take it out"
    )


def test_a_link_in_a_tar_is_not_followed(tmp_path):
    path = in_tar(tmp_path / "toy.tar", SOUND)
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("train/cat/z.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert refusal(path) == ("train/cat/z.png: got a link or a device; expected a file; replace it or take it out")


def test_a_zipped_file_that_is_called_like_the_top_folder_is_passed_over(tmp_path):
    files = {f"toy/{name}": content for name, content in SOUND.items()} | {"toy": b"x"}
    assert greys(in_zip(tmp_path / "toy.zip", files)) == EXPECTED


def test_nothing_is_written_beside_an_archive(tmp_path):
    paths = {in_zip(tmp_path / "toy.zip", SOUND), in_tar(tmp_path / "toy.tgz", SOUND)}
    for path in paths:
        load(path)
    assert set(tmp_path.iterdir()) == paths
