"""The inline engine: one cell after the other in this process, for debugging and for tests. It keeps no time limits."""

import os
import sys
from collections.abc import Sequence
from uuid import uuid4

from raygrid import trial
from raygrid.cells import Cell
from raygrid.engine import Observer, Terms
from raygrid.host import Runtime
from raygrid.inputs import load_inputs
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store


def run_inline(cells: Sequence[Cell], store: Store, cache: Cache, *, terms: Terms, observer: Observer) -> None:
    """Run every cell here; a failure's original traceback goes to stderr as well as into its record."""
    attempt = uuid4().hex
    for cell in cells:
        terms.budget.spend(os.cpu_count() or 1)
        if terms.budget.exhausted():
            return
        threads = terms.share(cell).cpus
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # as Ray does; TensorFlow's first import reads it
        runtime = Runtime(threads)
        inputs = load_inputs(cell, cache, runtime)  # mapped into memory from the second cell on
        observer.started(cell)
        record = trial.run(cell, inputs, store, runtime=runtime, attempt=attempt)
        if record.traceback:
            print(f"{cell}\n{record.traceback}", file=sys.stderr)
        observer.finished(cell, record.status)
