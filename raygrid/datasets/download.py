"""Downloads of data sets into Keras' cache folder, with the check of their checksums."""

import os
from http.client import HTTPException
from pathlib import Path

from raygrid.errors import DataError
from raygrid.storage.checksum import file_checksum
from raygrid.storage.download import download


def cache_folder() -> Path:
    """Return the folder in which Keras keeps its data sets: ``$KERAS_HOME/datasets``, by default in ~/.keras."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"


def fetch(url: str, path: Path, *, checksum: str, name: str) -> None:
    """Download the file at `url` to `path`, unless it is there.

    Parameters
    ----------
    url : str
        An http or https address.
    path : Path
        Where the file is put. An unfinished download is beside it, with the suffix ``.part``.
    checksum : str
        *algorithm:hex* of the content.
    name : str
        The data set, for messages.

    Raises
    ------
    DataError
        The download failed, or the file has another checksum.
    """
    if path.exists():
        verify(path, checksum, name=name)
        return

    def right(part: Path) -> None:
        got = file_checksum(part, checksum.partition(":")[0])
        if got != checksum:
            raise DataError(
                f"{name}: {url}: got {got}; expected {checksum}; try again, or put the right file at {path}"
            )

    try:
        download(url, path, check=right)
    except (OSError, HTTPException) as error:
        file = url.rpartition("/")[2]
        raise DataError(
            f"{name}: not in the cache and the download failed ({error}); put {file} ({url}) at {path}"
        ) from error


def to_fetch(url: str, path: Path, *, checksum: str, name: str, megabytes: int) -> str:
    """Return what `fetch` would download, with its size; "" if the file exists.

    Raises
    ------
    DataError
        The file is there, but its content has another checksum.
    """
    if not path.exists():
        return f"{megabytes} MB from {url}"
    verify(path, checksum, name=name)
    return ""


def verify(path: Path, checksum: str, *, name: str) -> None:
    """Raise DataError unless the file's content has this checksum, *algorithm:hex*."""
    got = file_checksum(path, checksum.partition(":")[0])
    if got != checksum:
        raise DataError(
            f"{name}: {path}: got {got}; expected {checksum}; "
            f"delete it to download it again, or name it in the grid file as {{name: {name}, path: ...}}"
        )
