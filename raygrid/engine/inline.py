"""The inline engine: one cell after the other in this process, for debugging and for tests."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache

from raygrid import trial
from raygrid.cache import Cache
from raygrid.config import Resources
from raygrid.engine import Observer, resources_of
from raygrid.grid import Cell
from raygrid.inputs import Inputs, inputs_key, load_inputs
from raygrid.store import Store


def run_inline(
    cells: Sequence[Cell], store: Store, cache: Cache, *, resources: Mapping[str, Resources], observer: Observer
) -> None:
    """Run every cell here; a failure's original traceback goes to stderr as well as into its record."""
    cell_of = {inputs_key(cell): cell for cell in cells}

    @lru_cache(maxsize=2)  # the two arms of one data set
    def inputs(key: str) -> Inputs:
        return load_inputs(cell_of[key], cache)

    for cell in cells:
        threads = resources_of(cell, resources).cpus
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # as Ray does; TensorFlow's first import reads it
        shared = inputs(inputs_key(cell))
        observer.started()
        record = trial.run(cell, shared, store, threads=threads)
        if record.traceback:
            print(f"{cell}\n{record.traceback}", file=sys.stderr)
        observer.finished(record.status)
