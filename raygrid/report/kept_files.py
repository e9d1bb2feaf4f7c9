"""Where the files of a cell are, seen from the page: links that open from the folder that the page lies in."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from raygrid.storage.store import Store

# What a store may keep of a cell besides its record, and where.
KINDS = {"log": ("logs", ".log")}


@dataclass(frozen=True)
class KeptFiles:
    """The stores of the cells that have a record, and what they keep of them.

    Attributes
    ----------
    stores : mapping of str to str
        By the cell's key: the folder of its store, relative to that of the page; lacking for a URL and a packed one.
    kinds : mapping of str to frozenset of str
        The keys of the cells that have such a file, by a key of `KINDS`.
    """

    stores: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, frozenset[str]] = field(default_factory=dict)


def kept_files(owners: Mapping[str, Store], page_folder: object) -> KeptFiles:
    """Return the files of cells.

    Parameters
    ----------
    owners : mapping of str to Store
        By the cell's key, the store that has its record.
    page_folder : Path or UPath
        The folder that the page is written to.
    """
    if not isinstance(page_folder, Path):
        return KeptFiles()
    local = {key: store for key, store in owners.items() if isinstance(store.root, Path) and not store.is_packed}
    stores = {id(store): store for store in local.values()}
    links = {name: quote(os.path.relpath(str(store.root), str(page_folder))) for name, store in stores.items()}
    kept = {name: {kind: _keys(store, *where) for kind, where in KINDS.items()} for name, store in stores.items()}
    return KeptFiles(
        stores={key: links[id(store)] for key, store in local.items()},
        kinds={kind: frozenset(key for key, store in local.items() if key in kept[id(store)][kind]) for kind in KINDS},
    )


def _keys(store: Store, folder: str, suffix: str) -> set[str]:
    return {Path(name).stem for name in store.folder.stamps(folder, suffix)}
