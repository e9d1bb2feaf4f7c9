"""A data set from the user's own file or folder, with any name; its format is recognised by the content."""

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from pydantic import Field

from raygrid.datasets import image_folder, npz, stl10
from raygrid.datasets.dataset import DatasetLevel
from raygrid.datasets.images import Images
from raygrid.errors import DataError, UsageError
from raygrid.level import ExistingPath
from raygrid.storage.checksum import path_checksum

Reader = Callable[[Path, int, str], Images]

SUFFIXES = (".npz", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")


class FromPath(DatasetLevel):
    """Images from an .npz, from an image folder (also as a zip or a tar), or from STL-10's binary files.

    Attributes
    ----------
    path : Path
        A file or a folder; a relative one counts from the grid file. Its content says what it is, not its name.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]  # it becomes part of file names
    path: ExistingPath

    def fingerprint(self) -> str:
        """Return the checksum of the file, or of the folder's names and contents."""
        with self._named():
            return path_checksum(self.path)

    def fetch(self) -> None:
        """Download nothing; raise DataError if no reader can read the path, so that it is known before a run."""
        self._reader()

    def to_fetch(self) -> str:
        """Return nothing, because the files are here; raise DataError if no reader can read them."""
        self._reader()
        return ""

    def n_images(self) -> int | None:
        """Return the number of images in an image folder; None for other formats, and if `load` would fail."""
        try:
            return image_folder.n_images(self.path) if self._reader() is image_folder.read else None
        except UsageError:
            return None

    def load(self, image_size: int, interpolation: str) -> Images:
        """Return the images and labels; every line of a message begins with this data set's name."""
        read = self._reader()
        with self._named():
            return read(self.path, image_size, interpolation)

    def _reader(self) -> Reader:
        """Return the reader for the content of the path; file names are not used, because users choose them freely."""
        with self._named():
            return self._reader_of_content()

    def _reader_of_content(self) -> Reader:
        if self.path.is_dir():
            return stl10.read_folder if (self.path / "train_X.bin").exists() else image_folder.read
        if not self.path.is_file():
            raise DataError(f"{self.path}: got neither a file nor a folder; expected one of them")
        if zipfile.is_zipfile(self.path):
            return npz.read if _holds_arrays(self.path) else image_folder.read
        if tarfile.is_tarfile(self.path):
            return stl10.read_archive if stl10.is_archive(self.path) else image_folder.read
        for suffix in SUFFIXES:
            if self.path.name.lower().endswith(suffix):
                raise DataError(f"{self.path}: got no complete {suffix} file; get it anew")
        raise DataError(
            f"{self.path}: got {self.path.suffix or 'no suffix'}; expected an .npz of arrays of images and "
            "labels, a folder of images <class>/<image> or {train,test}/<class>/<image> or a .zip or .tar of one, "
            "or STL-10's stl10_binary folder or .tar.gz"
        )

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Put this data set's name before every line of an error message."""
        try:
            yield
        except UsageError as error:
            raise DataError("\n".join(f"{self.name}: {line}" for line in str(error).splitlines())) from error
        except OSError as error:
            raise DataError(f"{self.name}: {self.path}: got what cannot be read ({error.strerror or error})") from error


def _holds_arrays(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)
