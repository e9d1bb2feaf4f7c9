"""Image folders, on disk, as a zip or a tar: read the images, with the class and part from the folder names."""

import io
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from raygrid.activity import counted
from raygrid.datasets.files import Files, opened
from raygrid.datasets.images import PARTS, Images, consecutive
from raygrid.datasets.resizing import is_16_bit, is_turned, resize, to_8_bit
from raygrid.errors import DataError, listed, printable
from raygrid.wording import first_line, plural

# Only these are tried, whatever the file is called: Pillow would hand PostScript, say, to another program.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
PART_OF = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
LAYOUT = "<class>/<image>, or train/<class>/<image> with test/ or val/ beside it; top folders may lie around either"


class Sample(NamedTuple):
    """The place of an image: its part (empty where the folder is not split), its class, and its file's name."""

    part: str
    class_name: str
    name: str


def read(path: Path, image_size: int, interpolation: str) -> Images:
    """Return the images and labels of a folder, a zip or a tar; archives are read in memory.

    Images may differ in size, and their content says what they are, not their names. They come part by part and
    class by class in the sorted order of their names, the same on every machine. Passed over are hidden files, what
    operating systems leave behind, and what lies beside the parts' or classes' folders. Anything else that is not an
    image in a class folder is refused. Folders in class folders are refused as well, because they may be classes, parts
    or masks, and to read them as images of one class would be an error that nobody sees.

    Parameters
    ----------
    path : Path
        Holds ``<class>/<image>``, or some of ``train/``, ``val/`` and ``test/`` (see `PART_OF`; in any capitals) with
        ``<class>/<image>`` in them, possibly in one or more top folders.
    image_size, interpolation
        As in `raygrid.datasets.resizing.resize`.

    Raises
    ------
    UsageError
        The layout is another, or files do not decode, cannot be read, or would leave the archive; one line for each.
    """
    with opened(path) as files:
        samples = arrange(path, files)
        names = {sample.name for sample in samples}
        with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
            X, notes = _decoded(path, samples, files, image_size=image_size, interpolation=interpolation)
        beside = [name for name in files if name not in names]
    if beside:
        notes += (
            f"not read: {plural(len(beside), 'file')} beside the folders of images, such as {printable(beside[0])}",
        )
    class_names, y = np.unique([sample.class_name for sample in samples], return_inverse=True)
    sizes = Counter(sample.part for sample in samples if sample.part)
    return Images(X, y.astype(np.int64), tuple(map(str, class_names)), consecutive(sizes), notes)


def n_images(path: Path) -> int:
    """Return the number of image files; raise UsageError if the layout is wrong."""
    with opened(path) as files:
        return len(arrange(path, files))


def arrange(path: Path, names: Iterable[str]) -> list[Sample]:
    """Return the place of every image, sorted by part, class and name.

    Parameters
    ----------
    path : Path
        The folder or archive, for messages.
    names : iterable of str
        Relative POSIX paths of its files.

    Raises
    ------
    DataError
        There are no class folders, or the folders hold something else than images in class folders.
    """
    files = {name: PurePosixPath(name).parts for name in names}
    root, is_split = _root(path, files.values())
    n_top, samples, faults = len(root), [], dict[str, None]()
    for name, parts in files.items():
        if parts[:n_top] != root or len(parts) < n_top + 2:
            continue  # beside the folders of images
        part = PART_OF.get(parts[n_top].lower(), "") if is_split else ""
        if is_split and not part:
            continue
        below = parts[n_top + is_split :]
        if len(below) == 2:
            samples.append(Sample(part, below[0], name))
        else:
            faults[_misplaced(path, parts[: len(parts) - len(below) + 2], is_file=len(below) < 2)] = None
    if faults or not samples:
        raise DataError(listed(list(faults)) or f"{path}: got no image in a class folder; expected {LAYOUT}")
    return sorted(samples, key=lambda sample: (("", *PARTS).index(sample.part), *sample[1:]))


def _misplaced(path: Path, parts: tuple[str, ...], *, is_file: bool) -> str:
    got = "a file outside the class folders" if is_file else "a folder in a class folder"
    return f"{path}: {printable('/'.join(parts))}: got {got}; expected {LAYOUT}; move it or take it out"


def _root(path: Path, files: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], bool]:
    """Return the folder that contains train/ and so on, and True; else the one with the class folders, and False."""
    files = list(files)
    parts = {file[: i + 1] for file in files for i, name in enumerate(file[:-2]) if name.lower() in PART_OF}
    depth = min(map(len, parts), default=0)
    parts = {folder for folder in parts if len(folder) == depth}
    roots = {folder[:-1] for folder in parts}
    if len(roots) > 1 or len({PART_OF[folder[-1].lower()] for folder in parts}) < len(parts):
        got = ", ".join(sorted(printable("/".join(folder)) for folder in parts)[:10])
        raise DataError(f"{path}: got {got}; expected each part once, {LAYOUT}; name one folder, or rename the others")
    return (roots.pop(), True) if roots else (_top_of_classes(path, files), False)


def _top_of_classes(path: Path, files: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the folder that contains the class folders: the deepest one that contains all files."""
    root: tuple[str, ...] = ()
    while True:
        n_top = len(root)
        below = [file[n_top:] for file in files if file[:n_top] == root and len(file) > n_top + 1]
        folders = {file[0] for file in below}
        if len(folders) != 1 or max(map(len, below)) < 3:
            break
        root = (*root, *folders)
    if folders and all(name.lower() in PART_OF for name in folders):
        got = ", ".join(f"{name}/" for name in sorted(folders))
        raise DataError(f"{path}: got images in {got} without class folders; expected {LAYOUT}")
    return root


def _decoded(
    path: Path, samples: list[Sample], files: Files, *, image_size: int, interpolation: str
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return X, read in the order of the files, and notes on what was done to the images."""
    X = np.empty((len(samples), image_size, image_size, 3), np.uint8)
    place, faults, notes = {sample.name: i for i, sample in enumerate(samples)}, [], Counter[str]()
    for name, content in counted(files.items(), len(files), "decoding"):
        if name not in place:
            continue
        try:
            image = _decode(content, notes)
        except Exception as error:  # decoders and unzippers raise what they please
            faults.append(f"{path}: {printable(name)}: {_fault(error)}; replace it or take it out")
        else:
            X[place[name]] = resize(image, image_size, interpolation)
    if faults:
        raise DataError(listed(faults))
    return X, tuple(f"{note}: {n} of {plural(len(samples), 'image')}" for note, n in sorted(notes.items()) if n)


def _decode(content: Callable[[], bytes], notes: Counter[str]) -> Image.Image:
    image = Image.open(io.BytesIO(content()), formats=FORMATS)
    notes["EXIF orientation applied"] += is_turned(image)
    notes["16 bits a channel, 0 .. 65535, scaled to 0 .. 255"] += is_16_bit(image)
    return to_8_bit(image)


def _fault(error: Exception) -> str:
    if isinstance(error, DataError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"got a file that cannot be read ({error.strerror})"
    reason = "no known format" if isinstance(error, UnidentifiedImageError) else first_line(error)
    return f"got a file that does not decode ({reason}); expected an image"
