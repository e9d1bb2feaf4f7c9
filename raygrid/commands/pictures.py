"""Pictures of samples for the page, where the images are at hand: in the cache, on this machine."""

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from raygrid.cells import Cell
from raygrid.commands.study import Study
from raygrid.datasets import DatasetLevel
from raygrid.images import images_key
from raygrid.report.pictures import Arrays, Pictures, class_pictures, disputed, disputed_block
from raygrid.report.results import Results
from raygrid.storage.folders import LocalFolder


def pictures_of(study: Study, results: Results) -> Pictures:
    """Return what the page shows of samples; nothing is computed or downloaded for it."""
    if not isinstance(study.cache.folder, LocalFolder):
        return Pictures({})
    pools = dict(_pools(study))
    keys = disputed_block(results.places)
    pool = next(
        (pools[cell.dataset.name] for cell in study.cells if cell.key in keys and cell.dataset.name in pools), None
    )
    if pool is None:
        return Pictures(class_pictures(pools))
    return Pictures(class_pictures(pools), disputed(pool, {key: results.predictions(key) for key in keys}))


def _pools(study: Study) -> Iterator[tuple[str, Arrays]]:
    """Yield the images of each data set that the cache has, by its name."""
    first: dict[str, Cell] = {}
    for cell in study.cells:
        if isinstance(cell.dataset, DatasetLevel):  # what a store alone says of one does not lead to its images
            first.setdefault(cell.dataset.name, cell)
    for name, cell in first.items():
        pool: dict[str, NDArray[Any]] | None = study.cache.known(images_key(cell))
        if pool:
            yield name, pool
