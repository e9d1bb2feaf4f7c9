"""Checks of what a grid needs: its data sets and weights, and disk space for what it will write."""

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from upath import UPath

from raygrid.cells import Cell
from raygrid.choosing import check_class_sizes
from raygrid.commands.doctor.finding import Finding
from raygrid.commands.job import Job
from raygrid.datasets import DatasetLevel, Images
from raygrid.errors import InfeasibleError, UsageError
from raygrid.folds import fold_of
from raygrid.host import Runtime
from raygrid.images import images_key
from raygrid.inputs import samples_key
from raygrid.level import Level
from raygrid.storage.folders import Location
from raygrid.wording import first_line, plural

_CELL_BYTES = 100_000  # a record, and the predictions of 10,000 test images


def files(job: Job) -> Iterator[Finding]:
    """Yield whether each data set and each weights file is here and can be read, or will be downloaded."""
    levels = {
        level: cell for cell in job.cells for level in (cell.dataset, cell.representation, *cell.classifier.candidates)
    }
    for level, cell in levels.items():
        if type(level).to_fetch is Level.to_fetch and not isinstance(level, DatasetLevel):
            continue  # nothing of it lies on a disk
        try:
            lacking = level.to_fetch()
            found = f"will be downloaded (not tried): {lacking}" if lacking else _content(level, cell, job)
        except UsageError as error:
            yield from (Finding(False, line) for line in str(error).splitlines())
        else:
            yield Finding(True, f"{level.name}: {found}")


def _content(level: Level, cell: Cell, job: Job) -> str:
    """Return the finding about a level's files; a data set is loaded and split as in `run`, which finds all faults.

    Raises
    ------
    UsageError
        What `run` would say.
    """
    if not isinstance(level, DatasetLevel):
        return "here"
    level.identity()  # this comes first in a run as well, and finds files that cannot be read
    images = level.load(cell.image_size, cell.interpolation)
    parts = [f"here, {len(images.y)} images of {len(images.class_names)} classes", *images.notes]
    n_infeasible = _count_infeasible([each for each in job.cells if each.dataset == level], images)
    if n_infeasible:
        parts.append(f"its class sizes make {plural(n_infeasible, 'cell')} infeasible; `plan` says why")
    return "; ".join(parts)


def _count_infeasible(cells: Sequence[Cell], images: Images) -> int:
    """Return how many cells of a data set the sizes of its classes forbid; raise DataError as `fold_of` does."""
    in_fold = defaultdict(list)
    for cell in cells:
        in_fold[cell.imbalance, cell.fold].append(cell)
    n_infeasible = 0
    for those in in_fold.values():
        try:
            y = images.y[fold_of(those[0], images).train]
        except InfeasibleError:
            n_infeasible += len(those)
            continue
        n_infeasible += sum(not _is_feasible(cell, y) for cell in those)
    return n_infeasible


def _is_feasible(cell: Cell, y: NDArray[np.int64]) -> bool:
    try:
        check_class_sizes(cell, y)
    except InfeasibleError:
        return False
    return True


def places(job: Job) -> Iterator[Finding]:
    """Yield whether the store and the cache can be written, and have room for what will be written."""
    yield _place("store", job.store.root, lambda: _Size(_CELL_BYTES * len(job.cells)))
    yield _place("cache", job.cache.root, lambda: _cache_size(job))


@dataclass(frozen=True)
class _Size:
    """How much will be written: bytes at most, and the data sets whose size is not known yet."""

    needed: int
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"at most {self.needed / 1e9:.2g} GB to come" + "".join(
            f", and the arrays of {one}" for one in self.unknown
        )


def _cache_size(job: Job) -> _Size:
    """Return what is still to be written to the cache: images, and what representations make of them."""
    entries = {}
    try:
        cells = {samples_key(cell, Runtime()): cell for cell in job.cells}
    except UsageError:  # `files` says what it is
        return _Size(0, ("data sets that cannot be read",))
    for key, cell in cells.items():
        images = images_key(cell)
        entries[images] = (cell.dataset.name, _bytes(cell, 3 * cell.image_size**2))
        if key != images:
            per_image = cell.representation.bytes_per_image(cell.image_size)
            entries[key] = (cell.dataset.name, _bytes(cell, per_image))
    missing = [entry for key, entry in entries.items() if not (job.cache.root / key).exists()]
    unknown = tuple(sorted({name for name, size in missing if size is None}))
    return _Size(sum(size or 0 for _, size in missing), unknown)


def _bytes(cell: Cell, per_image: int | None) -> int | None:
    """Return the size at most: what is trained is kept for the images of its fold, which are not all."""
    n_images = cell.dataset.n_images()
    return None if n_images is None or per_image is None else n_images * per_image


def _place(name: str, root: Location, size: Callable[[], _Size]) -> Finding:
    """Return whether something can be written to, read from and deleted in a folder or a URL, and fits there."""
    try:
        if not isinstance(root, Path):
            _try(root)
            return Finding(True, f"{name}: {root}: can be written, read and deleted; {size()}")
        free, to_come = _free_bytes(root), size()
    except Exception as error:  # whatever a file system or a server raises
        return Finding(
            False, f"{name}: {root}: got {first_line(error)}", "name another place, or get the right to write there"
        )
    ok = free > to_come.needed
    return Finding(
        ok, f"{name}: {root}: {free / 1e9:.3g} GB free; {to_come}", "" if ok else "make room, or name another"
    )


def _free_bytes(root: Path) -> int:
    """Return the free bytes where a folder is, or will be made; raise OSError where nothing can be written."""
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    with tempfile.TemporaryFile(dir=existing) as file:
        file.write(b"doctor")
    return shutil.disk_usage(existing).free


def _try(root: UPath) -> None:
    """Write, read and delete an object, which needs all the rights that a run needs."""
    probe = root / f".doctor-{uuid4().hex}"
    probe.write_bytes(b"doctor")
    try:
        if probe.read_bytes() != b"doctor":
            raise OSError("another content than was written")
    finally:
        probe.unlink()
