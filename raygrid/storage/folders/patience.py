"""Try again when a server cannot be reached: which errors may pass with time, and how long to wait."""

import errno
import logging
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from raygrid.errors import StoreError
from raygrid.storage.folders.folder import Location
from raygrid.wording import first_line

# How long a server may be unreachable before a run gives up, and the longest pause between two tries, in seconds.
PATIENCE_S = 300.0
_LONGEST_PAUSE_S = 20.0

# Errors of servers and networks that are unreachable or overloaded. The classes are named, not imported, because it
# depends on the protocol which of these packages are installed.
_PASSING_ERRNOS = {errno.EAGAIN, errno.EBUSY, errno.EIO, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN}
_PASSING_ERRNOS |= {errno.ENETUNREACH, getattr(errno, "EREMOTEIO", errno.EIO)}
_PASSING_CLASSES = {
    "aiohttp.ClientError",
    "botocore.ConnectionError",
    "botocore.HTTPClientError",
    "botocore.IncompleteReadError",
    "gcsfs.HttpError",
    "google.TransportError",
    "requests.RequestException",
}

_NO_TRUST = "CERTIFICATE_VERIFY_FAILED"  # OpenSSL raises it as a failure to connect, but waiting does not help

_log = logging.getLogger(__name__)
Result = TypeVar("Result")


def patiently(root: Location, act: Callable[[], Result], *, patience_s: float | None = None) -> Result:
    """Return what `act` returns; if the server cannot be reached, try again with growing pauses.

    Parameters
    ----------
    patience_s : float or None
        How long to try, in seconds; None means `PATIENCE_S`.

    Raises
    ------
    FileNotFoundError, FileExistsError
        The object does not exist, or exists already; the caller handles this.
    StoreError
        Any other error that did not pass, or cannot pass, by waiting.
    """
    retrying = Retrying(
        retry=retry_if_exception(passes),
        wait=wait_random_exponential(multiplier=1, max=_LONGEST_PAUSE_S),
        stop=stop_after_delay(PATIENCE_S if patience_s is None else patience_s),
        before_sleep=lambda state: _say(root, state),
        reraise=True,
    )
    try:
        return retrying(act)
    except (FileNotFoundError, FileExistsError) as error:
        if not _is_missing_bucket(error):
            raise
        raise StoreError(f"{root}: got no such bucket; make it, or name another") from error
    except Exception as error:
        do = "run the same command again when the server answers" if passes(error) else "see docs/how-to/s3.md"
        raise StoreError(f"{root}: {type(error).__name__}: {first_line(error)}; {do}") from error


def passes(error: BaseException) -> bool:
    """Tell whether an error may pass by waiting, unlike missing credentials, refused access or a full disk."""
    if isinstance(error, FileNotFoundError | FileExistsError | PermissionError) or _NO_TRUST in str(error):
        return False
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    if isinstance(error, OSError) and error.errno in _PASSING_ERRNOS:
        return True
    names = {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(error).__mro__}
    return not names.isdisjoint(_PASSING_CLASSES)


def _is_missing_bucket(error: OSError) -> bool:
    """Tell whether the bucket does not exist, and not only the object, if the server says it."""
    response: dict[str, dict[str, str]] = getattr(error.__cause__, "response", None) or {}
    return response.get("Error", {}).get("Code") == "NoSuchBucket"


def _say(root: Location, state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    pause_s = state.next_action.sleep if state.next_action else 0
    _log.warning("%s: %s; trying again in %.0f s", root, first_line(error), pause_s)
