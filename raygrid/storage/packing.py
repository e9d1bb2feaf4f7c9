"""A store in one file, which can be sent, kept beside a paper, and read like any store."""

from pathlib import Path

from raygrid.errors import StoreError
from raygrid.storage.folders import ZipFolder
from raygrid.storage.folders.zipped import zip_of
from raygrid.storage.store import DESCRIPTIONS, Store
from raygrid.storage.whole_files import as_store_error, write_whole


def pack(source: Store, target: Path, *, with_predictions: bool) -> int:
    """Write the records of a store, its grid file and its environment into a zip; return how many records.

    The same store gives the same bytes.

    Raises
    ------
    StoreError
        The source is no store, or the target is another file than a packed store.
    """
    if not source.is_there():
        raise StoreError(f"{source.root}: got no store (it has no records); name a folder that a run has written")
    _check_target(target)
    keys = sorted(source.records())
    names = [*DESCRIPTIONS, *(f"records/{key}.json" for key in keys)]
    names += [f"predictions/{key}.npz" for key in keys] if with_predictions else []
    fill = zip_of(source.folder.read_all(names))
    with as_store_error(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, fill)
    return len(keys)


def _check_target(target: Path) -> None:
    """Refuse a name that stores are not found by, and to replace what is no packed store, such as a data set."""
    if target.suffix.lower() != ".zip" or target.is_dir():
        raise StoreError(f"{target}: got another name than FILE.zip; expected one; name another")
    if target.exists():
        try:
            ZipFolder(target).stamps("records", ".json")
        except StoreError:
            raise StoreError(
                f"{target}: got a file that is no packed store; it is not replaced; name another"
            ) from None
