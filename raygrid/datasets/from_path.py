"""A data set of the user's own: any name, and a file or folder that says by what it is how to read it."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import Field

from raygrid.checksum import in_folder, path_checksum
from raygrid.datasets import image_folder, npz, stl10
from raygrid.datasets.dataset import DatasetLevel
from raygrid.datasets.files import in_zip
from raygrid.datasets.images import Images
from raygrid.errors import DataError
from raygrid.level import ExistingPath

Reader = Callable[[Path, int, str], Images]

READERS: dict[str, Reader] = {
    ".npz": npz.read,
    ".zip": image_folder.read_zip,
    ".tar.gz": stl10.read_archive,
}


class FromPath(DatasetLevel):
    """Images from an .npz, an image folder, plain or zipped, or STL-10's binary files."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]  # it becomes part of file names
    path: ExistingPath

    def fingerprint(self) -> str:
        """Return the checksum of the file, or of the folder's names and contents."""
        return path_checksum(self.path)

    def fetch(self) -> None:
        """Download nothing; only refuse, before anything runs, a path that no reader is for."""
        self._reader()

    def to_fetch(self) -> str:
        """Return nothing: it is here. A zip, which an .npz is as well, must have its end, or a copy broke off."""
        self._reader()
        if self.path.suffix.lower() in (".zip", ".npz") and not zipfile.is_zipfile(self.path):
            raise DataError(f"{self.name}: {self.path}: got no whole {self.path.suffix} file; get it anew")
        return ""

    def n_images(self) -> int | None:
        """Return the number of image files; None for other formats than image folders, which do not tell it."""
        if self._reader() is image_folder.read_zip:
            with zipfile.ZipFile(self.path) as archive:
                return image_folder.n_images(in_zip(archive))
        return image_folder.n_images(in_folder(self.path)) if self._reader() is image_folder.read_folder else None

    def load(self, image_size: int, interpolation: str) -> Images:
        """Return the images and labels; every message begins with this data set's name."""
        read = self._reader()
        try:
            return read(self.path, image_size, interpolation)
        except DataError as error:
            raise DataError(f"{self.name}: {error}") from error

    def _reader(self) -> Reader:
        if self.path.is_dir():
            binary = (self.path / "train_X.bin").exists()
            return stl10.read_folder if binary else image_folder.read_folder
        for suffix, reader in READERS.items():
            if self.path.name.lower().endswith(suffix):
                return reader
        raise DataError(
            f"{self.name}: {self.path}: got {self.path.suffix or 'no suffix'}; "
            "expected an .npz with the arrays of keras.datasets, "
            "a folder or .zip of train/<class>/<image> and test/<class>/<image>, "
            "or STL-10's stl10_binary folder or .tar.gz"
        )
