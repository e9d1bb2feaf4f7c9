"""STL-10's labelled images, in its own binary format."""

import os
import tarfile
from collections.abc import Mapping
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from raygrid.datasets import download
from raygrid.datasets.dataset import DatasetLevel
from raygrid.datasets.files import read_tar
from raygrid.datasets.images import Images, consecutive
from raygrid.datasets.resizing import stack
from raygrid.errors import DataError

URL = "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"
CHECKSUM = "sha256:f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866"  # as in TensorFlow Datasets
FOLDER = "stl10_binary"
BINARIES = {  # as in torchvision
    "train_X.bin": "md5:918c2871b30a85fa023e0c44e0bee87f",
    "train_y.bin": "md5:5a34089d4802c674881badbb80307741",
    "test_X.bin": "md5:7f263ba9f9e0b06b93213547f721ac82",
    "test_y.bin": "md5:36f9794fa4beb8a2c72628de14fa638e",
}
PARTS = ("train", "test")
CLASS_NAMES_FILE = "class_names.txt"
CLASS_NAMES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")


class Stl10(DatasetLevel):
    """Photographs, 96x96 RGB, 5,000 for training and 8,000 for testing, 10 classes.

    References
    ----------
    A. Coates, H. Lee, A. Y. Ng: An Analysis of Single-Layer Networks in Unsupervised Feature Learning, 2011.
    """

    name: Literal["stl10"] = "stl10"

    def fingerprint(self) -> str:
        """Return the checksum of the official stl10_binary.tar.gz."""
        return CHECKSUM

    def fetch(self) -> None:
        """Download the archive, 2.6 GB, and extract its labelled images, unless they are there."""
        folder = download.cache_folder() / FOLDER
        if all((folder / name).exists() for name in BINARIES):
            return
        archive = download.cache_folder() / f"{FOLDER}.tar.gz"
        download.fetch(URL, archive, checksum=CHECKSUM, name=self.name)
        extract(archive, folder)

    def to_fetch(self) -> str:
        """Return the size and address of the archive, unless it or its labelled images are there and complete."""
        folder = download.cache_folder() / FOLDER
        if all((folder / name).exists() for name in BINARIES):
            self._verify(folder)
            return ""
        archive = download.cache_folder() / f"{FOLDER}.tar.gz"
        return download.to_fetch(URL, archive, checksum=CHECKSUM, name=self.name, megabytes=2640)

    def n_images(self) -> int:
        """Return the number of labelled photographs."""
        return 13_000

    def load(self, image_size: int, interpolation: str) -> Images:
        """Return the images and labels, downloaded first if they are not here."""
        self.fetch()
        folder = download.cache_folder() / FOLDER
        self._verify(folder)
        return read_folder(folder, image_size, interpolation)

    def _verify(self, folder: Path) -> None:
        for name, checksum in BINARIES.items():
            download.verify(folder / name, checksum, name=self.name)


def extract(archive: Path, folder: Path) -> None:
    """Write the labelled images of stl10_binary.tar.gz to their fixed names in `folder`, each at once or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _read_tar(archive).items():
        part = folder / f"{name}.{os.getpid()}.part"
        part.write_bytes(content)
        part.replace(folder / name)


def is_archive(path: Path) -> bool:
    """Whether a tar's first file lies in ``stl10_binary``."""
    with tarfile.open(path) as archive:
        first = next((member for member in archive if not member.isdir()), None)
    return first is not None and PurePosixPath(first.name).parent.name == FOLDER


def read_archive(path: Path, image_size: int, interpolation: str) -> Images:
    """Return the labelled images and labels of stl10_binary.tar.gz, read in memory."""
    return _images(path, _read_tar(path), image_size=image_size, interpolation=interpolation)


def read_folder(path: Path, image_size: int, interpolation: str) -> Images:
    """Return the labelled images and labels of a folder ``stl10_binary``."""
    wanted = [path / name for name in (*BINARIES, CLASS_NAMES_FILE)]
    contents = {file.name: file.read_bytes() for file in wanted if file.exists()}
    return _images(path, contents, image_size=image_size, interpolation=interpolation)


def _read_tar(path: Path) -> dict[str, bytes]:
    """Return the labelled images and labels by file name; all other members are passed over."""
    members = {f"{FOLDER}/{name}": name for name in (*BINARIES, CLASS_NAMES_FILE)}
    return {members[member]: content for member, content in read_tar(path, members).items()}


def _images(path: Path, contents: Mapping[str, bytes], *, image_size: int, interpolation: str) -> Images:
    absent = [name for name in BINARIES if name not in contents]
    if absent:
        raise DataError(f"{path}: got no {', '.join(absent)}; expected {', '.join(BINARIES)}")
    names = contents.get(CLASS_NAMES_FILE, b"").decode(errors="replace").split() or CLASS_NAMES
    X, y = [], []
    for part in PARTS:
        X.append(_pixels(f"{path}: {part}_X.bin", contents[f"{part}_X.bin"]))
        y.append(_labels(f"{path}: {part}_y.bin", contents[f"{part}_y.bin"], len(names)))
        if len(X[-1]) != len(y[-1]):
            raise DataError(f"{path}: got {len(X[-1])} images and {len(y[-1])} labels in {part}; get it anew")
    return Images(
        X=stack(map(Image.fromarray, chain.from_iterable(X)), image_size, interpolation),
        y=np.concatenate(y),
        class_names=tuple(names),
        parts=consecutive({part: len(labels) for part, labels in zip(PARTS, y, strict=True)}),
    )


def _pixels(where: str, content: bytes) -> NDArray[np.uint8]:
    """Return images of shape (n_samples, 96, 96, 3); the file has channels first, and columns before rows."""
    if len(content) % (3 * 96 * 96):
        raise DataError(f"{where}: got {len(content)} bytes; expected a multiple of 27648, a 96x96 RGB image each")
    return np.frombuffer(content, np.uint8).reshape(-1, 3, 96, 96).transpose(0, 3, 2, 1)


def _labels(where: str, content: bytes, n_classes: int) -> NDArray[np.int64]:
    labels = np.frombuffer(content, np.uint8).astype(np.int64)
    wrong = labels[(labels < 1) | (labels > n_classes)]
    if len(wrong):
        raise DataError(f"{where}: got label {wrong[0]}; expected 1 to {n_classes}")
    return labels - 1
