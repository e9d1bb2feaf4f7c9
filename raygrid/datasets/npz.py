"""Images and labels from the arrays of an .npz, with or without parts, recognised by the names of the arrays."""

from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from raygrid.datasets.image_folder import PART_OF
from raygrid.datasets.images import PARTS, Images, consecutive
from raygrid.datasets.labels import encode
from raygrid.datasets.resizing import stack
from raygrid.errors import DataError, printable
from raygrid.storage.archives import check_packed
from raygrid.wording import first_line

ROLE_OF = {
    **dict.fromkeys(("x", "images", "data"), "images"),
    **dict.fromkeys(("y", "labels", "target", "targets"), "labels"),
}
LAYOUTS = (
    "x_train and y_train, or train_images and train_labels, with val and test alike; "
    "or X and y, images and labels, or data and target, in any capitals"
)


class Pair(NamedTuple):
    """The names of the two arrays of a part; the part is "" if the data set is not split."""

    part: str
    images: str
    labels: str


def read(path: Path, image_size: int, interpolation: str) -> Images:
    """Return the images and labels of an .npz.

    Parameters
    ----------
    path : Path
        Holds arrays of images and of labels, by the names in `LAYOUTS`. Images have the shape (n, h, w), (n, h, w, c)
        or (n, c, h, w) with 1, 3 or 4 channels; they are uint8, uint16, of which the upper 8 bits are taken, or floats
        from 0 to 1, which are scaled to 0 to 255. For labels see `raygrid.datasets.labels.encode`.
    image_size, interpolation
        As in `raygrid.datasets.resizing.resize`.

    Raises
    ------
    DataError
        The file is no .npz, arrays are missing, or an array is not like that; pickled objects are never read.
    """
    arrays, pairs, notes = _arrays(path)
    images = []
    for pair in pairs:
        pixels, made = _pixels(f"{path}: {pair.images}", arrays[pair.images])
        images.append(pixels)
        notes += [note for note in made if note not in notes]
    y, class_names = encode({f"{path}: {pair.labels}": arrays[pair.labels] for pair in pairs})
    _check_lengths(path, pairs, images, y)
    return Images(
        X=stack(map(Image.fromarray, chain.from_iterable(images)), image_size, interpolation),
        y=np.concatenate(y),
        class_names=class_names,
        parts=consecutive({pair.part: len(part) for pair, part in zip(pairs, y, strict=True) if pair.part}),
        notes=tuple(notes),
    )


def _arrays(path: Path) -> tuple[dict[str, NDArray[Any]], list[Pair], list[str]]:
    """Return the arrays of images and labels by name, their pairs in the order of the pool, and notes."""
    try:
        with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as npz:
            pairs = pair_up(path, npz.files)
            names = [name for pair in pairs for name in pair[1:]]
            other = [name for name in npz.files if name not in names]
            notes = [f"not read: the arrays {', '.join(map(printable, other))}"] if other else []
            members = npz.zip.infolist() if npz.zip else []
            read = [info for info in members if info.filename.removesuffix(".npy") in names]
            check_packed(sum(info.file_size for info in read), sum(info.compress_size for info in read))
            return {name: np.asanyarray(npz[name]) for name in names}, pairs, notes
    except DataError as error:
        raise DataError(str(error) if str(error).startswith(f"{path}: ") else f"{path}: {error}") from error
    except Exception as error:  # numpy and unzippers raise what they please
        reason = first_line(error)
        raise DataError(f"{path}: got what numpy cannot read ({reason}); expected an .npz of plain arrays") from error


def pair_up(path: Path, names: list[str]) -> list[Pair]:
    """Return which arrays are the images and labels of which part, by their names, in the order of the pool.

    Raises
    ------
    DataError
        The names are of none of `LAYOUTS`, or of more than one of them.
    """
    known = [(place, name) for name in names if (place := _place(name))]
    name_of = dict(known)
    parts = [part for part in ("", *PARTS) if (part, "images") in name_of or (part, "labels") in name_of]
    is_complete = len(known) == len(name_of) == 2 * len(parts)  # no name twice, no images without labels
    if not parts or not is_complete or (parts[0] == "" and len(parts) > 1):
        raise DataError(f"{path}: got the arrays {', '.join(names) or '(none)'}; expected {LAYOUTS}")
    return [Pair(part, name_of[part, "images"], name_of[part, "labels"]) for part in parts]


def _place(name: str) -> tuple[str, str] | None:
    """Return part and role of an array, if its name says one role and at most one part."""
    words = name.lower().split("_")
    roles, parts = ([of[word] for word in words if word in of] for of in (ROLE_OF, PART_OF))
    is_known = len(roles) == 1 and len(parts) == len(words) - 1 <= 1
    return ("".join(parts), roles[0]) if is_known else None


def _pixels(where: str, X: NDArray[Any]) -> tuple[NDArray[np.uint8], list[str]]:
    """Return images of shape (n, h, w) or (n, h, w, 3 or 4), and notes on what was done to them."""
    notes = []
    if X.ndim == 4 and X.shape[3] not in (1, 3, 4) and X.shape[1] in (1, 3, 4):
        X = np.moveaxis(X, 1, 3)
        notes.append("channels first, moved to the end")
    if not (X.ndim == 3 or (X.ndim == 4 and X.shape[3] in (1, 3, 4))) or 0 in X.shape:
        expected = "(n, h, w), (n, h, w, c) or (n, c, h, w), with c 1, 3 or 4"
        raise DataError(f"{where}: got shape {X.shape}; expected {expected}")
    if X.dtype == np.uint16:
        X = X >> 8
        notes.append("16 bits a channel, 0 .. 65535, scaled to 0 .. 255")
    elif X.dtype.kind == "f":
        if not (X.min() >= 0 and X.max() <= 1):  # not so for NaN
            raise DataError(f"{where}: got {X.dtype} from {X.min()} to {X.max()}; expected 0 to 1, or uint8, 0 to 255")
        X = np.rint(X * X.dtype.type(255))
        notes.append("numbers from 0 to 1, scaled to 0 .. 255")
    elif X.dtype != np.uint8:
        raise DataError(f"{where}: got {X.dtype}; expected uint8, uint16, or floats from 0 to 1; convert it first")
    return (X[..., 0] if X.ndim == 4 and X.shape[3] == 1 else X).astype(np.uint8, copy=False), notes


def _check_lengths(path: Path, pairs: list[Pair], X: list[Any], y: list[Any]) -> None:
    for pair, images, labels in zip(pairs, X, y, strict=True):
        if len(images) != len(labels):
            raise DataError(
                f"{path}: got {len(images)} {pair.images} and {len(labels)} {pair.labels}; expected a label an image"
            )
