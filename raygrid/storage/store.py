"""The store: a folder of a grid, here or at a URL, with one record file for each cell; decides all file names in it."""

import json
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from raygrid.errors import StoreError
from raygrid.storage import gathered
from raygrid.storage.archives import arrays_in
from raygrid.storage.folders import Claim, Folder, Location, ZipFolder, readable_at
from raygrid.storage.kept_checkpoint import KeptCheckpoint
from raygrid.storage.record import FINAL, Record
from raygrid.storage.soundness import sound_record
from raygrid.wording import first_line, without_passwords

_FOLDERS = ("records", "predictions", "report", "checkpoints", "logs")
_LOCK = ".lock"

# What a store says of the run that wrote it, beside the records.
DESCRIPTIONS = ("cells.json", "environment.json", "grid.yaml")
_MAX_PREDICTIONS_BYTES = 2**31  # decompressed; a million test samples of 100 classes have a fifth of it


class Store:
    """Where the records of a grid live.

    ::

        grid.yaml           a copy of the grid file of the last run
        cells.json          what it declares: its cells, and what their levels are called
        environment.json    machine and versions of the last run
        records/KEY.json    one a cell
        gathered.json.gz    a copy of all records at a URL, as they were when a run began or ended; it may be deleted
        predictions/KEY.npz y_true, y_pred, scores if there are any, and the test set's indices of a cell that is done
        logs/KEY.log        output of a cell's last trial, if there was any
        checkpoints/KEY.npz state of a training that has not ended
        report/             tables, figures, statistics, index.html

    Parameters
    ----------
    root : str, Path or UPath
        A folder, a URL such as ``s3://bucket/run``, or a zip that `raygrid.storage.packing` wrote, which is only read.

    Attributes
    ----------
    root : Path or UPath
    folder : Folder
        Its files, by name.

    Raises
    ------
    StoreError
        No installed package understands the URL.
    """

    def __init__(self, root: str | Location) -> None:
        self.folder: Folder = readable_at(root)
        self.root = self.folder.root
        self._known: dict[str, tuple[Hashable, Record]] = {}
        self._claim: Claim | None = None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_known": {}}  # a trial does not need the records of other cells

    def prepare(self) -> None:
        """Make the store's folders, and delete what a killed run left: half-written files, checkpoints of ended cells.

        Raises
        ------
        StoreError
            It cannot be written.
        """
        self.folder.prepare(_FOLDERS)
        for name in self.folder.stamps("checkpoints", ".npz"):
            record = self.record(Path(name).stem)
            if record and record.status in FINAL:
                self.folder.delete(name)

    @property
    def is_packed(self) -> bool:
        """Whether it is one file, which is only read."""
        return isinstance(self.folder, ZipFolder)

    def is_there(self) -> bool:
        """Tell whether a run has written here."""
        return self.folder.is_there("records")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out while this one writes; the lock of a killed run ends with it, at a URL within 90 s.

        At a URL a run that cannot reach the server for so long may lose the lock to another run. Then neither it nor
        its trials' processes, which have a pickled copy of the store, write any more records.

        Raises
        ------
        StoreError
            Another run is at work on this store.
        """
        with self.folder.held(_LOCK, wait=False) as self._claim:
            try:
                yield
            finally:
                self._claim = None

    def is_locked(self) -> bool:
        """Tell whether a run is at work on this store."""
        return self.folder.is_held(_LOCK)

    def records(self) -> dict[str, Record]:
        """Return every record, by key; a second call opens only files that are new or have changed.

        Raises
        ------
        StoreError
            A file is not a record.
        """
        stamps = self._stamps()
        changed = [name for name, stamp in stamps.items() if self._known.get(name, (None,))[0] != stamp]
        contents = gathered.contents(self.folder, {name: stamps[name] for name in changed})
        read = {name: (stamps[name], sound_record(self.root / name, content)) for name, content in contents.items()}
        known = self._known | read
        self._known = {name: known[name] for name in stamps if name in read or name not in changed}
        return {record.key: record for _, record in self._known.values()}

    def gather(self) -> None:
        """Keep a copy of all records in one file, if the store is at a URL and they are many; `records` reads it."""
        if isinstance(self.root, Path) or len(self.records()) <= gathered.FEW:
            return
        copies = {name: (stamp, record.to_json()) for name, (stamp, record) in self._known.items()}
        self.write_bytes(gathered.FILE, gathered.packed(copies))

    def record(self, key: str) -> Record | None:
        """Return the record of one cell, if there is one."""
        name = f"records/{key}.json"
        content = self.folder.read(name)
        return None if content is None else sound_record(self.root / name, content)

    def predictions(self, key: str) -> dict[str, Any]:
        """Return the arrays of a cell's predictions, by name; an empty dict if there is no such file.

        Raises
        ------
        StoreError
            The file does not hold arrays of numbers.
        """
        name = f"predictions/{key}.npz"
        content = self.folder.read(name)
        if content is None:
            return {}
        try:
            return arrays_in(content, _MAX_PREDICTIONS_BYTES)
        except Exception as error:  # numpy and unzippers raise what they please
            reason = f"got no predictions ({first_line(error)}); delete it and the cell's record to run the cell again"
            raise StoreError(f"{self.root / name}: {reason}") from None

    def write(self, record: Record, predictions: Mapping[str, Any]) -> None:
        """Write predictions, then the record, so that no record is without its predictions; a final one stays.

        That holds also where another process writes the first record of the cell meanwhile. Where both replace a record
        that is not final, the last one to write wins, because folders cannot replace a file only if it is unchanged.

        Parameters
        ----------
        predictions : mapping of str to array
            Empty for a cell that is not done.

        Raises
        ------
        StoreError
            It cannot be written, or another run has taken over (`locked`).
        """
        earlier = self.record(record.key)
        if earlier and earlier.status in FINAL:
            return
        self._check_claim()
        if predictions:
            self.folder.write(f"predictions/{record.key}.npz", lambda file: np.savez_compressed(file, **predictions))
        name, text = f"records/{record.key}.json", record.to_json().encode()
        if earlier:
            self.folder.write(name, lambda file: file.write(text))
        elif not self.folder.create(name, lambda file: file.write(text)):
            self.write(record, predictions)  # another process was faster

    def read_text(self, name: str) -> str:
        """Return the text of a file that `write_text` wrote; empty if there is no such file."""
        try:
            return (self.folder.read(name) or b"").decode()
        except UnicodeDecodeError:
            raise StoreError(f"{self.root / name}: got bytes that are not UTF-8; expected a text; delete it") from None

    def write_text(self, name: str, text: str) -> Location:
        """Write a text file, e.g. ``report/table1.csv``, and return where it is."""
        return self.write_bytes(name, text.encode())

    def write_bytes(self, name: str, content: bytes) -> Location:
        """Write a file, e.g. ``report/figures/gain.png``, and return where it is."""
        self._check_claim()
        self.folder.write(name, lambda file: file.write(content), parents=True)
        return self.root / name

    def environment(self) -> dict[str, Any]:
        """Return what the last run noted of its machine; empty where it noted nothing.

        Raises
        ------
        StoreError
            The file is not what a run writes.
        """
        try:
            found = json.loads(self.read_text("environment.json") or "{}")
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise StoreError(f"{self.root / 'environment.json'}: got no JSON object; expected one; delete the file")
        return found

    def read_log(self, key: str) -> str:
        """Return the output of a cell's last trial; empty if none was kept."""
        return (self.folder.read(f"logs/{key}.log") or b"").decode(errors="replace")

    def write_log(self, key: str, text: str) -> None:
        """Keep the output of a cell's last trial; if it is empty, delete the file."""
        if not text:
            self.folder.delete(f"logs/{key}.log")
            return
        content = without_passwords(text).encode(errors="replace")
        self.folder.write(f"logs/{key}.log", lambda file: file.write(content), parents=True)

    def checkpoint(self, key: str, version: str) -> KeptCheckpoint:
        """Return where a cell's training keeps its state.

        Parameters
        ----------
        version : str
            Names everything that must be equal for another process to continue, such as the versions of libraries.
        """
        return KeptCheckpoint(self.folder, f"checkpoints/{key}.npz", version)

    def _check_claim(self) -> None:
        """Raise StoreError if another run has taken over from the run that this process writes for."""
        if self._claim:
            self._claim.check()

    def _stamps(self) -> Mapping[str, Hashable]:
        return self.folder.stamps("records", ".json")
