"""The checkpoint of a cell in a store: one uncompressed npz file."""

import math
import zipfile
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np

from raygrid.storage.checkpoint import Arrays
from raygrid.storage.folders import Folder
from raygrid.storage.stopwatch import own_s

# Put before the name of every array, so that no name is equal to "version" or "seconds".
_ARRAY = "array/"


@dataclass
class KeptCheckpoint:
    """A `raygrid.storage.checkpoint.Checkpoint` in a folder.

    Attributes
    ----------
    version : str
        Arrays that were saved under another version are not loaded.
    is_used : bool
        Whether a trial has looked for it, or saved it. Most cells do neither.
    earlier_s : float
        What the processes took whose work was loaded, in seconds without what cells share.
    """

    folder: Folder
    name: str
    version: str
    is_used: bool = field(default=False, init=False)
    earlier_s: float = field(default=0.0, init=False)
    began_s: float = field(default_factory=own_s, init=False)

    def load(self) -> Arrays | None:
        """Return the arrays saved last under this version; None if there are none or the file is broken."""
        is_first, self.is_used = not self.is_used, True
        content = self.folder.read(self.name)
        if content is None:
            return None
        try:
            with np.load(BytesIO(content), allow_pickle=False) as kept:
                if kept["version"].item() != self.version:
                    return None
                arrays = {name.removeprefix(_ARRAY): kept[name] for name in kept if name.startswith(_ARRAY)}
                seconds = float(kept["seconds"]) if "seconds" in kept else 0.0  # others are of an earlier raygrid
        except (ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):  # numpy's errors for a broken file
            return None
        if is_first and 0 < seconds < math.inf:  # what is loaded later has the seconds of this process in it
            self.earlier_s = seconds
        return arrays

    def save(self, arrays: Arrays) -> None:
        """Keep these arrays, and drop those saved before.

        Raises
        ------
        StoreError
            They cannot be written.
        """
        self.is_used = True
        seconds = self.earlier_s + own_s() - self.began_s
        named = {_ARRAY + name: array for name, array in arrays.items()}
        named |= {"version": np.array(self.version), "seconds": np.array(seconds)}
        self.folder.write(self.name, lambda file: np.savez(file, allow_pickle=False, **named), parents=True)

    def delete(self) -> None:
        """Delete what was saved."""
        self.folder.delete(self.name)
