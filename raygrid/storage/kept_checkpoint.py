"""A training's state, kept in a store: one uncompressed npz a cell."""

import zipfile
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from raygrid.storage.checkpoint import Arrays
from raygrid.storage.folders import Folder

# Before the name of every array, which may be any; the version stands beside them without it.
_ARRAY = "array/"


@dataclass(frozen=True)
class KeptCheckpoint:
    """A `raygrid.storage.checkpoint.Checkpoint` in a folder.

    Attributes
    ----------
    version : str
        What another version's training saved is not loaded.
    """

    folder: Folder
    name: str
    version: str

    def load(self) -> Arrays | None:
        """Return what was saved last, under the same version; nothing where the file is broken."""
        content = self.folder.read(self.name)
        if content is None:
            return None
        try:
            with np.load(BytesIO(content), allow_pickle=False) as kept:
                if kept["version"].item() != self.version:
                    return None
                return {name.removeprefix(_ARRAY): kept[name] for name in kept if name.startswith(_ARRAY)}
        except (ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):  # whatever numpy makes of it
            return None

    def save(self, arrays: Arrays) -> None:
        """Keep these arrays in place of what was saved before.

        Raises
        ------
        StoreError
            They cannot be written.
        """
        named = {_ARRAY + name: array for name, array in arrays.items()} | {"version": np.array(self.version)}
        self.folder.write(self.name, lambda file: np.savez(file, allow_pickle=False, **named), parents=True)

    def delete(self) -> None:
        """Delete what was saved."""
        self.folder.delete(self.name)
