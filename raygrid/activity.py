"""What this process is doing just now, for whoever shows it to the user: images decoded, features, epochs."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_T = TypeVar("_T")
_Listener = Callable[[str], None]

_listeners: list[_Listener] = []


def doing(what: str) -> None:
    """Tell what is being done, in a few words; nothing happens where nobody listens."""
    for listen in _listeners[-1:]:
        listen(what)


def counted(items: Iterable[_T], n_items: int | None, what: str) -> Iterator[_T]:
    """Yield the items, and tell how many of them are done: in per cent, or their number where there is no total."""
    for number, item in enumerate(items):
        doing(f"{what} {100 * number // n_items}%" if n_items else f"{what} {number}")
        yield item


@contextmanager
def heard_by(listen: _Listener, *, every_s: float = 0.0, first_s: float = 0.0) -> Iterator[None]:
    """Call `listen` with what is done in this block.

    Parameters
    ----------
    every_s : float
        Seconds between two calls at least; what is told meanwhile is dropped.
    first_s : float
        Seconds before the first call.
    """
    due = time.monotonic() + first_s

    def listen_at_times(what: str) -> None:
        nonlocal due
        if time.monotonic() >= due:
            listen(what)
            due = time.monotonic() + every_s

    _listeners.append(listen_at_times)
    try:
        yield
    finally:
        _listeners.remove(listen_at_times)
