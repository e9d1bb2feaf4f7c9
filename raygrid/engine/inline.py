"""The inline engine: one cell after the other in this process, for debugging and for tests."""

import os
import sys
from collections.abc import Mapping, Sequence

from raygrid import trial
from raygrid.cache import Cache
from raygrid.config import Resources
from raygrid.engine import Observer, resources_of
from raygrid.grid import Cell
from raygrid.inputs import load_inputs
from raygrid.store import Store


def run_inline(
    cells: Sequence[Cell], store: Store, cache: Cache, *, resources: Mapping[str, Resources], observer: Observer
) -> None:
    """Run every cell here; a failure's original traceback goes to stderr as well as into its record."""
    for cell in cells:
        threads = resources_of(cell, resources).cpus
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # as Ray does; TensorFlow's first import reads it
        inputs = load_inputs(cell, cache)  # mapped into memory from the second cell on
        observer.started()
        record = trial.run(cell, inputs, store, threads=threads)
        if record.traceback:
            print(f"{cell}\n{record.traceback}", file=sys.stderr)
        observer.finished(record.status)
