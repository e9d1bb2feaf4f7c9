"""merge: copy the records of several stores into one."""

from collections.abc import Sequence

from raygrid.commands.printing import Terminal
from raygrid.storage.merging import merge
from raygrid.storage.store import Store

_out = Terminal()


def merge_stores(target: str, sources: Sequence[str]) -> None:
    """Copy the records of `sources` into `target`, which is made if need be."""
    store = Store(target)
    with store.locked():
        copied = merge(store, [Store(source) for source in sources])
    _out.print(f"{copied} records copied into {store.root}", soft_wrap=True)
