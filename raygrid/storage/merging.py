"""Several stores: their records joined into one mapping, or copied into one store."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from raygrid.errors import StoreError
from raygrid.storage.record import FINAL, Record
from raygrid.storage.store import DESCRIPTIONS, Store

# Records copied side by side: a store at a URL answers many at once.
_AT_ONCE = 16


def join(stores: Sequence[Store]) -> dict[str, tuple[Record, Store]]:
    """Return the records of several stores, by key, each with the store it is from.

    Of several records of a cell, a final one is preferred to a failure; else the one of the first store.

    Raises
    ------
    StoreError
        Two final records of one cell differ in more than what they cost.
    """
    chosen: dict[str, tuple[Record, Store]] = {}
    for store in stores:
        for key, record in store.records().items():
            earlier, owner = chosen.setdefault(key, (record, store))
            if record.status in FINAL and earlier.status not in FINAL:
                chosen[key] = (record, store)
            elif record is not earlier and record.status in FINAL and (differing := _differing(record, earlier)):
                raise StoreError(
                    f"{store.root}: got another record of {key} than in {owner.root} ({', '.join(differing)}); "
                    "expected the same; delete the wrong one"
                )
    return chosen


def merge(target: Store, sources: Sequence[Store]) -> int:
    """Copy the records of several stores, as `join` chooses them, and their predictions; return how many.

    The caller holds the target's lock. Everything is checked before anything is written. What a store says of its run
    is copied from the first that says it.

    Raises
    ------
    StoreError
        A source is no store, or two final records of one cell differ in more than what they cost.
    """
    for source in sources:
        if not source.is_there():
            raise StoreError(f"{source.root}: got no store (it has no records); name a folder that a run has written")
    copied = [(key, source) for key, (_, source) in join([target, *sources]).items() if source is not target]
    target.prepare()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda one: _copy(one[0], one[1], target), copied))
    for name in DESCRIPTIONS:
        content = next(filter(None, (store.folder.read(name) for store in (target, *sources))), None)
        if content:
            target.write_bytes(name, content)
    return len(copied)


def _differing(one: Record, other: Record) -> list[str]:
    """Return the fields in which two records differ, except what they cost."""
    return [name for name in Record.model_fields if name != "measured" and getattr(one, name) != getattr(other, name)]


def _copy(key: str, source: Store, target: Store) -> None:
    """Copy the files of one record; the record itself last, so that it is never without its predictions."""
    for name in (f"predictions/{key}.npz", f"logs/{key}.log", f"records/{key}.json"):
        content = source.folder.read(name)
        if content is not None:
            target.write_bytes(name, content)
