"""What the processes of `check_gpu.py` do, each in a process of its own, because a backend cannot change its card."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "experiments" / "benchmarks"))

from raygrid.cells import Cell, expand
from raygrid.classifiers import Classifier
from raygrid.engine import Observer, Terms, engine_named
from raygrid.gridfile.resources import Resources
from raygrid.gridfile.schema import Grid
from raygrid.host import Runtime, is_out_of_memory
from raygrid.networks.keras_backend import card_memory_mb, load_keras, runtime_in_force, set_up
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store

OUT_OF_MEMORY = "out of memory"
_BLOCK_MB = 16

# What is held where there is no card, so that a rehearsal runs the same code.
CARD_MB = card_memory_mb(0) or 1024


class Child:
    """A process that runs one of the functions below, which gets a connection to this one as its last argument."""

    def __init__(self, function: Callable[..., None], *arguments: Any) -> None:
        self.ours, theirs = get_context("spawn").Pipe()
        self.process = get_context("spawn").Process(target=function, args=(*arguments, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def said(self) -> Any:
        """Return the next thing that it says; raise EOFError if it has died."""
        return self.ours.recv()

    def go_on(self) -> None:
        """Let it go on."""
        self.ours.send("go on")

    def end(self) -> int | None:
        """Let it end; return its exit code."""
        self.go_on()
        self.process.join(60)
        return self.process.exitcode


def used_mb() -> float:
    """Return the memory that is in use on the card, by whatever process; 0 where there is no card."""
    if card_memory_mb(0) is None:
        return 0.0
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0"]
    return float(subprocess.check_output(command, text=True))  # noqa: S603


def take(mb: float) -> list[Any]:
    """Return arrays of so many MB, on the card if this process has one."""
    keras = load_keras()
    blocks = [keras.ops.ones((_BLOCK_MB, 2**18), "float32") for _ in range(int(mb / _BLOCK_MB))]
    for block in blocks[-1:]:  # until this is read, the arrays may be mere promises
        keras.ops.convert_to_numpy(block[-1, -1])
    return blocks


def hold(runtime: Runtime, mb: float, parent: Connection) -> None:
    """Take so many MB, say so (or that there are no more), and keep them until the parent says something."""
    set_up(runtime)
    try:
        taken = take(mb)
        parent.send(f"holds {_BLOCK_MB * len(taken)} MB")
    except Exception as error:
        parent.send(OUT_OF_MEMORY if is_out_of_memory(error) else f"{type(error).__name__}: {error}")
    parent.recv()


def name_device(runtime: Runtime, parent: Connection) -> None:
    """Say where the backend keeps an array."""
    set_up(runtime)
    parent.send(str(getattr(load_keras().ops.ones(3), "device", "")))


def multiply(runtime: Runtime, n: int, parent: Connection) -> None:
    """Say how many operations a second a product of two n x n matrices is computed with."""
    set_up(runtime)
    ops = load_keras().ops
    a, times = ops.ones((n, n), "float32"), []
    for _ in range(4):
        start = time.perf_counter()
        ops.convert_to_numpy(ops.matmul(a, a)[0, 0])
        times.append(time.perf_counter() - start)
    parent.send(2 * n**3 / min(times))


def train(runtime: Runtime, variant: str, n_images: int, parent: Connection) -> None:
    """Train for an epoch, wait for the parent, train for two more; say how many images a second those took."""
    import image_arm

    chosen = image_arm.VARIANTS[variant]
    if chosen.is_stock:  # as Keras sets itself up
        os.environ |= {"KERAS_BACKEND": runtime.backend} | ({} if runtime.gpus else {"CUDA_VISIBLE_DEVICES": "-1"})
    else:
        set_up(runtime)
        load_keras()
    X = np.random.default_rng(0).integers(0, 256, (n_images, 64, 64, 3)).astype(np.uint8)
    y = np.arange(n_images) % 10
    epoch = image_arm.stock(X, y, {}) if chosen.is_stock else image_arm.ours(X, y, chosen, runtime)
    epoch()
    parent.send(used_mb())
    parent.recv()
    start = time.perf_counter()
    epoch()
    epoch()
    parent.send(2 * n_images / (time.perf_counter() - start))


class Heard(Observer):
    """An observer that takes no notice."""


def grid(classifier: Any, n_folds: int) -> list[Cell]:
    """Return the cells of a network on scikit-learn's digits."""
    arm = {"representation": "image", "classifier": classifier, "resamplers": ["none"]}
    declared = {"name": "check", "seed": 1, "folds": n_folds, "image_size": 32, "imbalance": [5]}
    return expand(Grid.model_validate({**declared, "datasets": ["digits"], "arms": [arm]}))


def run_cells(runtime: Runtime, n_folds: int, n_epochs: int, folder: str, parent: Connection) -> None:
    """Run small networks by the inline engine, on a card if there is one; say what their records are, without costs."""
    os.environ["KERAS_BACKEND"] = runtime.backend
    if not runtime.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    store = Store(folder)
    store.prepare()
    cells = grid({"name": "cnn", "alpha": 0.25, "weights": "embedded", "epochs": n_epochs}, n_folds)
    engine_named("inline")(cells, store, Cache(f"{folder}/cache"), terms=Terms(), observer=Heard())
    parent.send([store.records()[cell.key].model_dump(exclude={"measured"}) for cell in cells])


class Takes(Classifier):
    """A classifier that takes a part of the card, and then predicts the first class.

    Attributes
    ----------
    part : float
        Of the card's memory.
    log : str
        A file to which every try adds the share that it was given.
    """

    takes: ClassVar[Literal["images", "vectors"]] = "images"
    name: str = "takes"
    part: float
    log: str

    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any:
        """Take the memory."""
        load_keras()
        runtime = runtime_in_force()
        with Path(self.log).open("a") as log:
            log.write(f"{self.part} {runtime.gpus if runtime else 0}\n")
        if self.part > 1 and card_memory_mb(0) is None:
            raise MemoryError("a rehearsal without a card")
        take(self.part * CARD_MB)
        return self

    def predict(self, X: Any) -> Any:
        """Return the first class."""
        return np.zeros(len(X), dtype=np.int64)


def run_on_ray(backend: str, folder: str, parent: Connection) -> None:
    """Run four cells within a quarter of a card and one that asks for two cards; say statuses and shares given."""
    os.environ["KERAS_BACKEND"] = backend
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # Ray's workers cannot import it
    store = Store(folder)
    store.prepare()
    first, *others = grid("cnn", 5)
    parts = {cell: 0.15 for cell in others} | {first: 2.0}
    log = f"{folder}/shares"
    cells = [replace(cell, classifier=Takes(part=part, log=log)) for cell, part in parts.items()]
    terms = Terms({"takes": Resources(gpus=0.25)})
    engine_named("ray")(cells, store, Cache(f"{folder}/cache"), terms=terms, observer=Heard())
    shares = [line.split()[1] for line in Path(log).read_text().splitlines() if line.startswith("2.0")]
    parent.send(([store.records()[cell.key].status for cell in cells], shares))
