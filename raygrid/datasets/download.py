"""Downloads into Keras' cache folder: resumed after a break, and named only when their checksum is right."""

import os
import shutil
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from filelock import FileLock

from raygrid.checksum import file_checksum
from raygrid.errors import DataError

TIMEOUT_S = 60


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
        Where the file belongs. An unfinished download lies beside it, with the suffix ``.part``.
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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):  # the trials of one machine may all want the file at once
            if not path.exists():
                _download(url, path, checksum=checksum, name=name)
    except (OSError, HTTPException) as error:
        file = url.rpartition("/")[2]
        raise DataError(
            f"{name}: not in the cache and the download failed ({error}); put {file} ({url}) at {path}"
        ) from error


def to_fetch(url: str, path: Path, *, checksum: str, name: str, megabytes: int) -> str:
    """Return what `fetch` would download, with its size as given; nothing where the file is there.

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
            f"delete it to have it fetched anew, or name it in the grid file as {{name: {name}, path: ...}}"
        )


def _download(url: str, path: Path, *, checksum: str, name: str) -> None:
    part = path.with_name(f"{path.name}.part")
    _complete(url, part)
    got = file_checksum(part, checksum.partition(":")[0])
    if got != checksum:
        part.unlink()  # or every later attempt would resume it
        raise DataError(f"{name}: {url}: got {got}; expected {checksum}; try again, or put the right file at {path}")
    part.replace(path)


def _complete(url: str, part: Path) -> None:
    """Append to `part` what it lacks; after a break try again, as long as each attempt brings new bytes."""
    while True:
        before = _size(part)
        try:
            _append(url, part)
            return
        except (OSError, HTTPException):
            if _size(part) <= before:
                raise


def _append(url: str, part: Path) -> None:
    """Append to `part` what it lacks, in one request; write it anew where the server ignores ranges."""
    size = _size(part)
    request = Request(url, headers={"Range": f"bytes={size}-"} if size else {})  # noqa: S310 (urls are constants)
    try:
        response = urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
    except HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is left to come; the checksum tells whether that is right
        raise
    with response, part.open("ab" if response.status == HTTPStatus.PARTIAL_CONTENT else "wb") as out:
        end = out.tell() + int(response.headers.get("Content-Length", 0))
        shutil.copyfileobj(response, out)
        if out.tell() < end:  # http.client ends quietly when the connection breaks
            raise ConnectionError(f"broke off after {out.tell()} of {end} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
