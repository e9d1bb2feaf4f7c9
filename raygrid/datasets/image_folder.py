"""Image folders, on disk or zipped: train/<class>/<image> and test/<class>/<image>."""

import io
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from raygrid.checksum import in_folder
from raygrid.datasets.files import in_zip
from raygrid.datasets.images import Images, stack, to_8_bit
from raygrid.errors import DataError

# Only these are tried, whatever the file is called: Pillow would hand PostScript, say, to another program.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm"},
)
LAYOUT = "train/<class>/<image> and test/<class>/<image>, possibly in one top folder"


class Sample(NamedTuple):
    """An image's place: its partition, its class, and its name in the container."""

    partition: str
    class_name: str
    name: str


def read_folder(path: Path, image_size: int, interpolation: str) -> Images:
    """Return the images and labels of a folder; see `read_zip`."""
    opened = {name: file.read_bytes for name, file in in_folder(path).items()}
    return _read(path, opened, image_size=image_size, interpolation=interpolation)


def read_zip(path: Path, image_size: int, interpolation: str) -> Images:
    """Return the images and labels of a zipped folder, read in memory.

    Images may differ in size. They come class by class in the sorted order of their names, the same on every
    machine. Ignored are hidden files, ``__MACOSX``, and what lies beside train/ and test/; anything else in
    them than an image in a class folder is refused.

    Parameters
    ----------
    path : Path
        A zip with ``train/<class>/<image>`` and ``test/<class>/<image>``, possibly in one top folder.
    image_size, interpolation
        As in `raygrid.datasets.images.resize`.

    Raises
    ------
    DataError
        The layout is another, a class is in one partition only, or a file does not decode, is too large, or
        would leave the archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            opened = {name: partial(archive.read, member) for name, member in in_zip(archive).items()}
            return _read(path, opened, image_size=image_size, interpolation=interpolation)
    except zipfile.BadZipFile as error:
        raise DataError(f"{path}: got a broken archive ({error}); expected a zip; get it anew") from error


def _read(path: Path, files: Mapping[str, Callable[[], bytes]], *, image_size: int, interpolation: str) -> Images:
    samples = arrange(path, files)
    class_names = tuple(sorted({sample.class_name for sample in samples}))
    label = {name: i for i, name in enumerate(class_names)}
    X, y = {}, {}
    for partition in ("train", "test"):
        chosen = [sample for sample in samples if sample.partition == partition]
        X[partition] = stack(_decode(path, files, chosen), image_size, interpolation)
        y[partition] = np.array([label[sample.class_name] for sample in chosen], np.int64)
    return Images(X["train"], y["train"], X["test"], y["test"], class_names)


def n_images(names: Iterable[str]) -> int:
    """Return how many of these files are images by their names."""
    return sum(PurePosixPath(name).suffix.lower() in SUFFIXES for name in names)


def arrange(path: Path, names: Iterable[str]) -> list[Sample]:
    """Return the place of every image, sorted.

    Parameters
    ----------
    path : Path
        The folder or zip, for messages.
    names : iterable of str
        Relative POSIX paths of its files.

    Raises
    ------
    DataError
        There is no train/ and test/, they hold something else than class folders of images, or other classes.
    """
    split = [PurePosixPath(name).parts for name in names]
    root = _root(path, split)
    depth = len(root)
    below = [parts for parts in split if parts[: depth + 1] in ((*root, "train"), (*root, "test"))]
    for parts in below:
        if len(parts) != depth + 3 or PurePosixPath(parts[-1]).suffix.lower() not in SUFFIXES:
            raise DataError(f"{path}: got {'/'.join(parts)}; expected {LAYOUT} ({', '.join(sorted(SUFFIXES))})")
    samples = sorted(Sample(parts[-3], parts[-2], "/".join(parts)) for parts in below)
    _check_classes(path, samples)
    return samples


def _root(path: Path, split: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what train/ and test/ lie in: nothing, or one top folder."""
    roots = {
        parts[:depth] for parts in split for depth in (0, 1) if parts[depth : depth + 1] in (("train",), ("test",))
    }
    if () in roots:
        return ()
    if len(roots) != 1:
        got = "train/ and test/ in " + ", ".join(sorted(root[0] for root in roots)) if roots else "no train/ and test/"
        raise DataError(f"{path}: got {got}; expected {LAYOUT}")
    return roots.pop()


def _check_classes(path: Path, samples: Iterable[Sample]) -> None:
    train, test = ({s.class_name for s in samples if s.partition == partition} for partition in ("train", "test"))
    if train != test:
        raise DataError(
            f"{path}: got {', '.join(sorted(train ^ test))} in only one of train/ and test/; "
            "expected the same classes in both"
        )


def _decode(path: Path, files: Mapping[str, Callable[[], bytes]], samples: Iterable[Sample]) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for sample in samples:
            try:
                image = to_8_bit(Image.open(io.BytesIO(files[sample.name]()), formats=FORMATS))
            except Exception as error:  # decoders and unzippers raise what they please
                reason = "no known format" if isinstance(error, UnidentifiedImageError) else str(error)
                raise DataError(
                    f"{path}: {sample.name}: got a file that does not decode ({reason}); "
                    "expected an image; replace it or take it out"
                ) from error
            yield image
