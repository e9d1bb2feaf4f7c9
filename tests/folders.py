"""Image folders for tests: small images, and their files as a folder, a zip or a tar."""

import io
import tarfile
import zipfile

import pytest
from PIL import Image

from raygrid.datasets import FromPath
from raygrid.errors import DataError


def png(grey, size=(2, 2), mode="L") -> bytes:
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


def in_folder(path, files):
    path.mkdir(exist_ok=True)
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


def in_tar(path, files):
    with tarfile.open(path, "w:" + path.suffix[1:].replace("tgz", "gz").replace("tar", "")) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


EVERYWHERE = pytest.mark.parametrize(
    ("store", "place"), [(in_folder, "toy"), (in_zip, "toy.ZIP"), (in_tar, "toy.tar.gz")]
)


def load(path):
    return FromPath(name="toy", path=path).load(1, "nearest")


def greys(path) -> dict[str, list[int]]:
    """Return the grey of each image, by part; under "" where there are no parts."""
    images = load(path)
    X = images.X[:, 0, 0, 0]
    return {part: X[index].tolist() for part, index in images.parts.items()} or {"": X.tolist()}


def refusal(path) -> str:
    """Return what is said of a data set, without its name and path at the head of each line."""
    with pytest.raises(DataError) as refused:
        load(path)
    return "\n".join(line.removeprefix("toy: ").removeprefix(f"{path}: ") for line in str(refused.value).splitlines())
