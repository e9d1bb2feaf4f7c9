"""Files from the web: resumed where they broke off, and checked before they get their name."""

import shutil
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from filelock import FileLock

TIMEOUT_S = 60


def download(url: str, path: Path, *, check: Callable[[Path], None]) -> None:
    """Make `path` hold the file at `url`, all of it, unless a file is there; processes that want it at once wait.

    Parameters
    ----------
    url : str
        An http or https address.
    path : Path
        Where the file belongs. What has come of it so far lies beside it, in ``.part``, until it is whole and right.
    check : callable
        Given the file that has come, raises an error where its content is wrong; then the next try begins anew.

    Raises
    ------
    OSError, HTTPException
        It cannot be had, or broke off.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with FileLock(f"{path}.lock"):
        if path.exists():
            return
        _complete(url, part)
        try:
            check(part)
        except Exception:
            part.unlink()  # or every later try would resume it
            raise
        part.replace(path)


def _complete(url: str, part: Path) -> None:
    """Append what `part` lacks, again after every break that came with new bytes."""
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
