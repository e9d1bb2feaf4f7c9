"""The store: one directory a grid, one record file a cell. The only module that knows where records lie."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from pydantic import ValidationError

from raygrid.errors import StoreError
from raygrid.record import FINAL, Record
from raygrid.whole import LEFTOVERS, as_store_error, write_whole


class Store:
    """Where the records of a grid live.

    ::

        grid.yaml           a copy of the grid file of the last run
        environment.json    machine and versions of the last run
        records/KEY.json    one a cell
        predictions/KEY.npz y_true, y_pred and the test set's indices of a cell that is done
        report/             tables, figures, statistics, index.html
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()  # a trial's process has a working folder of its own

    def prepare(self) -> None:
        """Make the store's folders, and drop what a killed run left half-written.

        Raises
        ------
        StoreError
            It cannot be written.
        """
        with as_store_error(self.root):
            for folder in ("records", "predictions", "report"):
                (self.root / folder).mkdir(parents=True, exist_ok=True)
                for leftover in (self.root / folder).glob(LEFTOVERS):
                    leftover.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out while this one writes; a killed run's lock ends with it.

        Raises
        ------
        StoreError
            Another run is at work on this store.
        """
        with as_store_error(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root / ".lock", timeout=0)
            try:
                lock.acquire()
            except Timeout:
                raise StoreError(
                    f"{self.root}: another run is writing here; wait for it, or use another --store"
                ) from None
        try:
            yield
        finally:
            lock.release()

    def records(self) -> dict[str, Record]:
        """Return every record, by key.

        Raises
        ------
        StoreError
            A file is not a record.
        """
        return {path.stem: self._read(path) for path in sorted((self.root / "records").glob("*.json"))}

    def statuses(self) -> dict[str, str]:
        """Return the status of every record, by key."""
        return {key: record.status for key, record in self.records().items()}

    def record(self, key: str) -> Record | None:
        """Return the record of one cell, if there is one."""
        path = self.root / "records" / f"{key}.json"
        return self._read(path) if path.exists() else None

    def write(self, record: Record, predictions: Mapping[str, Any]) -> None:
        """Keep what a trial left; the predictions first, so that a record always has its own. A final record stays.

        Parameters
        ----------
        predictions : mapping of str to array
            Empty for a cell that is not done.

        Raises
        ------
        StoreError
            It cannot be written.
        """
        earlier = self.record(record.key)
        if earlier and earlier.status in FINAL:
            return
        with as_store_error(self.root):
            if predictions:
                path = self.root / "predictions" / f"{record.key}.npz"
                write_whole(path, lambda file: np.savez_compressed(file, **predictions))
            text = record.model_dump_json(indent=1) + "\n"
            write_whole(self.root / "records" / f"{record.key}.json", lambda file: file.write(text.encode()))

    def read_text(self, name: str) -> str:
        """Return a file that `write_text` wrote; nothing where there is none."""
        path = self.root / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file, e.g. ``report/table1.csv``, and return its path."""
        return self.write_bytes(name, text.encode())

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Write a file, e.g. ``report/figures/gain.png``, and return its path."""
        path = self.root / name
        with as_store_error(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, lambda file: file.write(content))
        return path

    def _read(self, path: Path) -> Record:
        try:
            record = Record.model_validate_json(path.read_bytes())
        except ValidationError as error:
            fault = error.errors()[0]
            reason = ": ".join([".".join(map(str, fault["loc"])), fault["msg"]]).removeprefix(": ")
            raise StoreError(f"{path}: got no record ({reason}); delete the file to run its cell again") from None
        if record.key != path.stem:
            raise StoreError(f"{path}: got the record of {record.key}; delete or rename the file")
        return record


def join(stores: Sequence[Store]) -> dict[str, tuple[Record, Store]]:
    """Return the records of several stores, by key, each with the store it is from.

    A final record goes before a failure, then the first comes first.

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
            elif record.status in FINAL and (differing := _differing(record, earlier)):
                raise StoreError(
                    f"{store.root}: got another record of {key} than in {owner.root} ({', '.join(differing)}); "
                    "expected the same; delete the wrong one"
                )
    return chosen


def merge(target: Store, sources: Sequence[Store]) -> int:
    """Copy the records of several stores, as `join` chooses them, and their predictions; return how many.

    The caller holds the target's lock. Everything is checked before anything is written.

    Raises
    ------
    StoreError
        A source is no store, or two final records of one cell differ in more than what they cost.
    """
    for source in sources:
        if not (source.root / "records").is_dir():
            raise StoreError(f"{source.root}: got no store (it has no records); name a folder that a run has written")
    copied = [(key, source) for key, (_, source) in join([target, *sources]).items() if source is not target]
    target.prepare()
    for key, source in copied:
        _copy(key, source, target)
    return len(copied)


def _differing(one: Record, other: Record) -> list[str]:
    """Return the fields in which two records differ, but for what they cost."""
    return [name for name in Record.model_fields if name != "measured" and getattr(one, name) != getattr(other, name)]


def _copy(key: str, source: Store, target: Store) -> None:
    """Copy the files of one record; itself last, so that a record always has its predictions."""
    with as_store_error(target.root):
        for name in (f"predictions/{key}.npz", f"records/{key}.json"):
            if (source.root / name).exists():
                with (source.root / name).open("rb") as original:
                    write_whole(target.root / name, partial(shutil.copyfileobj, original))
