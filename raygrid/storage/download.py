"""Files from the web: interrupted downloads are resumed, and a file gets its name only after its content is checked."""

from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from filelock import FileLock

from raygrid.activity import doing

TIMEOUT_S = 60
_BLOCK_BYTES = 2**18


def download(url: str, path: Path, *, check: Callable[[Path], None]) -> None:
    """Download the file at `url` to `path`, unless `path` exists; other processes that want it wait for this one.

    Parameters
    ----------
    url : str
        An http or https address.
    path : Path
        Where the file is put. Until it is complete and checked, the bytes received are beside it, in ``.part``.
    check : callable
        Gets the downloaded file and raises an error if its content is wrong; then the next try starts from zero.

    Raises
    ------
    OSError, HTTPException
        The server does not send the file, or the connection broke.
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
    """Append what is missing in `part`; try again after a break, if the last try brought new bytes."""
    while True:
        before = _size(part)
        try:
            _append(url, part)
            return
        except (OSError, HTTPException):
            if _size(part) <= before:
                raise


def _append(url: str, part: Path) -> None:
    """Append what is missing in `part`, in one request; if the server ignores ranges, start from zero."""
    size = _size(part)
    request = Request(url, headers={"Range": f"bytes={size}-"} if size else {})  # noqa: S310 (urls are constants)
    try:
        response = urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
    except HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is missing; the checksum tells whether the content is right
        raise
    with response, part.open("ab" if response.status == HTTPStatus.PARTIAL_CONTENT else "wb") as out:
        end = out.tell() + int(response.headers.get("Content-Length", 0))
        name = f"downloading {url.rpartition('/')[2]}"
        while block := response.read(_BLOCK_BYTES):
            out.write(block)
            doing(f"{name} {100 * out.tell() // end}%" if end > out.tell() else name)
        if out.tell() < end:  # http.client raises no error when the connection breaks
            raise ConnectionError(f"broke off after {out.tell()} of {end} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
