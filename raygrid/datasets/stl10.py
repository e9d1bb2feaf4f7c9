"""STL-10's labelled images, in its own binary format."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from raygrid.datasets import download
from raygrid.datasets.dataset import DatasetLevel
from raygrid.datasets.files import read_tar
from raygrid.datasets.images import Images, stack
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
        """Download the archive, 2.6 GB, and take the labelled images out of it, unless they are there."""
        folder = download.cache_folder() / FOLDER
        if all((folder / name).exists() for name in BINARIES):
            return
        archive = download.cache_folder() / f"{FOLDER}.tar.gz"
        download.fetch(URL, archive, checksum=CHECKSUM, name=self.name)
        extract(archive, folder)

    def to_fetch(self) -> str:
        """Return the size and address of the archive, unless it, or what is labelled of it, is there and whole."""
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
        """Return the images and labels, fetched first if need be."""
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


def read_archive(path: Path, image_size: int, interpolation: str) -> Images:
    """Return the labelled images and labels of stl10_binary.tar.gz, read in memory."""
    return _images(path, _read_tar(path), image_size=image_size, interpolation=interpolation)


def read_folder(path: Path, image_size: int, interpolation: str) -> Images:
    """Return the labelled images and labels of a folder ``stl10_binary``."""
    wanted = [path / name for name in (*BINARIES, CLASS_NAMES_FILE)]
    contents = {file.name: file.read_bytes() for file in wanted if file.exists()}
    return _images(path, contents, image_size=image_size, interpolation=interpolation)


def _read_tar(path: Path) -> dict[str, bytes]:
    """Return file name and content of what is labelled; other members, and other places, are passed over."""
    members = {f"{FOLDER}/{name}": name for name in (*BINARIES, CLASS_NAMES_FILE)}
    return {members[member]: content for member, content in read_tar(path, members).items()}


def _images(path: Path, contents: Mapping[str, bytes], *, image_size: int, interpolation: str) -> Images:
    absent = [name for name in BINARIES if name not in contents]
    if absent:
        raise DataError(f"{path}: got no {', '.join(absent)}; expected {', '.join(BINARIES)}")
    names = contents.get(CLASS_NAMES_FILE, b"").decode(errors="replace").split() or CLASS_NAMES
    X = {p: _pixels(f"{path}: {p}_X.bin", contents[f"{p}_X.bin"]) for p in ("train", "test")}
    y = {p: _labels(f"{path}: {p}_y.bin", contents[f"{p}_y.bin"], len(names)) for p in ("train", "test")}
    return Images(
        X_train=stack(map(Image.fromarray, X["train"]), image_size, interpolation),
        y_train=y["train"],
        X_test=stack(map(Image.fromarray, X["test"]), image_size, interpolation),
        y_test=y["test"],
        class_names=tuple(names),
    )


def _pixels(where: str, content: bytes) -> NDArray[np.uint8]:
    """Return images of shape (n_samples, 96, 96, 3): the file has channels first, and columns before rows."""
    if len(content) % (3 * 96 * 96):
        raise DataError(f"{where}: got {len(content)} bytes; expected a multiple of 27648, a 96x96 RGB image each")
    return np.frombuffer(content, np.uint8).reshape(-1, 3, 96, 96).transpose(0, 3, 2, 1)


def _labels(where: str, content: bytes, n_classes: int) -> NDArray[np.int64]:
    labels = np.frombuffer(content, np.uint8).astype(np.int64)
    wrong = labels[(labels < 1) | (labels > n_classes)]
    if len(wrong):
        raise DataError(f"{where}: got label {wrong[0]}; expected 1 to {n_classes}")
    return labels - 1
