"""prepare: fetch and compute everything that trials share, before any of them runs."""

from collections.abc import Sequence
from itertools import chain

from raygrid import host
from raygrid.cells import Cell
from raygrid.commands.job import Job
from raygrid.commands.printing import Terminal, activity_shown
from raygrid.host import Runtime
from raygrid.images import images_key
from raygrid.inputs import inputs_key, load_inputs
from raygrid.networks.keras_backend import card_memory_mb, runtime_in_force, set_up

_out = Terminal()


def prepare_inputs(job: Job) -> None:
    """Fetch data and weights, decode images, compute features; print the shape of each result."""
    with activity_shown():
        _prepare(job)


def _prepare(job: Job) -> None:
    fetch(job.cells)
    runtime = runtime_in_force() or Runtime(host.cpus(), gpus=1.0 if card_memory_mb(0) else 0.0)
    set_up(runtime)
    for cell in {inputs_key(cell, runtime): cell for cell in job.cells}.values():
        inputs = load_inputs(cell, job.cache, runtime)
        what = "image" if inputs.key == images_key(cell) else cell.representation.name
        parts = ", ".join(f"{part} {len(index)}" for part, index in inputs.parts.items()) or "no parts"
        _out.print(f"{cell.dataset.name} {what}: {inputs.X.shape}, {parts}")


def fetch(cells: Sequence[Cell]) -> None:
    """Download what cells need and this machine lacks, once, before any trial asks for it."""
    levels = ((cell.dataset, cell.representation, *cell.classifier.candidates) for cell in cells)
    for level in dict.fromkeys(chain.from_iterable(levels)):
        level.fetch()
