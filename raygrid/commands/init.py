"""init: write a grid file for the images in a folder or archive, with comments that say what else could stand there."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from raygrid.commands.job import open_job
from raygrid.commands.printing import Terminal
from raygrid.errors import UsageError
from raygrid.images import Labels, load_labels
from raygrid.wording import listed, plural

_out = Terminal()

# With fewer images in the smallest class, five parts would leave too few to test on: 5 x 2 cross-validation.
_FEWEST_FOR_FIVE_PARTS = 10

# SMOTE mixes a sample with its nearest neighbours of the same class, by default with 5.
_NEIGHBOURS = 5
_INNER_FOLDS = 3  # in which a choice is made, by default


def write_grid_file(images: Path, target: Path | None, cache: str) -> None:
    """Count the images, write a grid file that fits them, and print what was found and what to do next.

    Parameters
    ----------
    images : Path
        What a grid file may name as `path`.
    target : Path or None
        The file to write; by default it has the name of the images and lies in the working directory.

    Raises
    ------
    UsageError
        There are no images, or the file is there already.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", images.resolve().name.partition(".")[0]).strip("._-") or "mine"
    target = target or Path(f"{name}.yaml")
    if not images.exists():
        raise UsageError(f"{images}: got nothing there; expected a folder of class folders, a zip, a tar or an .npz")
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target}: got a file that is there already; name another: raygrid init {images} FILE.yaml")
    labels = _labels(name, images, cache)
    _require_enough(images, labels)
    path = os.path.relpath(images.resolve(), target.resolve().parent)
    target.write_text(grid_text(name, path, labels), encoding="utf-8")
    sizes = np.bincount(labels.y, minlength=len(labels.class_names))
    smallest, largest = labels.class_names[int(sizes.argmin())], labels.class_names[int(sizes.argmax())]
    each = f"{sizes.min()} ({smallest}) to {sizes.max()} ({largest})" if smallest != largest else f"{sizes[0]} each"
    counted = f"{plural(len(labels.y), 'image')} of {plural(len(sizes), 'class')}, {each}"
    _print(f"{images}: {counted}; {_said_of_parts(labels)}")
    _print(f"{target}: written; read it, then: raygrid plan {target} && raygrid run {target}")


def grid_text(name: str, path: str, labels: Labels) -> str:
    """Return the content of a grid file for these images.

    Parameters
    ----------
    name : str
        Of the grid and of the data set.
    path : str
        Where the images are, from the grid file's folder.
    labels : Labels
        Of all images.
    """
    sizes = np.bincount(labels.y, minlength=len(labels.class_names))
    split, folds, why, n_train = _split(labels, sizes)
    resamplers, said = _resamplers(n_train)
    known = ", ".join(f"{class_name} {size}" for class_name, size in zip(labels.class_names, sizes, strict=True))
    return f"""\
# {len(labels.y)} images: {_commented(known)}
#
#   raygrid plan FILE     how many images are used, and what cannot be computed; nothing runs yet
#   raygrid run FILE      ends with the tables; stop it with Ctrl-C, give the same command again to go on
#   raygrid report FILE   the page

name: {name}
folds: {folds}
image_size: 64            # every image is resized to a square of so many pixels
datasets:
  - {{name: {name}, path: {_yaml(path)}}}

# {why}
split: {split}

# natural keeps all images. Numbers, [2, 5, 10], are imbalance ratios that are made by leaving images out; then
# `class_order: by_size` keeps which class is the largest, e.g. {{name: exponential, ir: 10, class_order: by_size}}.
imbalance: [natural]

# validation: 0.2         # a share of each training class, for networks that stop early, or to choose on

arms:
  # Features of a MobileNet that was trained on ImageNet; its weights (17 MB) are downloaded once.
  # Without a download: {{name: features, alpha: 0.25, weights: embedded}}, good for a first try only.
  - representation: features
    classifier: {{name: svm, class_weight: none}}   # C: {{choose: [0.1, 1, 10]}} chooses within each cell
    resamplers: {resamplers}{said}
  - representation: features
    classifier: {{name: svm, class_weight: balanced}}
    resamplers: [none]
  # Your own: classifier: my_module:MyClass, with fit(X, y) and predict(X), in my_module.py beside this file.
  # A network on the images, for hours or a GPU: {{representation: image, classifier: cnn, resamplers: [none, ros]}}
"""


def _labels(name: str, images: Path, cache: str) -> Labels:
    arm = {"representation": "raw", "classifier": "knn", "resamplers": ["none"]}
    split = {"name": "holdout", "test": 0.5}  # any, because only labels are looked at
    grid: dict[str, Any] = {"name": name, "folds": 1, "imbalance": ["natural"], "split": split, "arms": [arm]}
    job = open_job(grid | {"datasets": [{"name": name, "path": images}]}, stores=[], cache=cache, only=[])
    return load_labels(job.cells[0], job.cache)


def _require_enough(images: Path, labels: Labels) -> None:
    """Raise UsageError if a class has no image to train or to test on, because no cell could be computed."""
    parts = ("train", "test") if {"train", "test"} <= labels.parts.keys() else ()
    found = {f" in {part}": labels.y[labels.parts[part]] for part in parts} or {"": labels.y}
    sizes = {where: np.bincount(y, minlength=len(labels.class_names)) for where, y in found.items()}
    least = 1 if parts else 2
    few = [
        f"{name!r} {size}{where}"
        for where, of_classes in sizes.items()
        for name, size in zip(labels.class_names, of_classes, strict=True)
        if size < least
    ]
    if few:
        expected = f"expected at least {least}{'' if parts else ', one to train and one to test on'}"
        raise UsageError(f"{images}: got too few images: {listed(few)}; {expected}; add some, or leave the class out")


def _said_of_parts(labels: Labels) -> str:
    parts = ", ".join(f"{part} {len(index)}" for part, index in labels.parts.items())
    return f"parts: {parts}" if parts else "no train and test parts"


def _split(labels: Labels, sizes: np.ndarray[Any, Any]) -> tuple[str, int, str, int]:
    """Return a split, a number of folds, why, and how many training images the smallest class has."""
    if {"train", "test"} <= labels.parts.keys():
        n_train = int(np.bincount(labels.y[labels.parts["train"]], minlength=len(sizes)).min())
        why = "The parts that the images come in. They are the same in every fold, so that folds differ in seeds only."
        return "official", 5, why, n_train
    smallest = int(sizes.min())
    if smallest < _FEWEST_FOR_FIVE_PARTS:
        why = f"5 x 2 cross-validation, because the smallest class has only {plural(smallest, 'image')}."
        return "{name: stratified_kfold, n_splits: 2}", 10, why, smallest // 2
    why = "Cross-validation: each class is dealt out to 5 parts, each of them tested in turn; then all again."
    return "{name: stratified_kfold, n_splits: 5}", 10, why, smallest - -(-smallest // 5)


def _resamplers(n_train: int) -> tuple[str, str]:
    """Return the resamplers that the smallest class allows, and a comment where SMOTE must differ."""
    inner = n_train - -(-n_train // _INNER_FOLDS)  # images in an inner fold, where C is chosen
    chosen = f"; to choose C, k_neighbors: {inner - 1}" if 1 < inner <= _NEIGHBOURS else ""
    few = f"   # the smallest class has {plural(n_train, 'training image')}"
    if n_train > _NEIGHBOURS:
        return "[none, ros, rus, smote]", chosen and few + chosen
    if n_train > 1:
        return f"[none, ros, rus, {{name: smote, k_neighbors: {n_train - 1}}}]", few + chosen
    return "[none, ros, rus]", few + ", too few for smote"


def _commented(text: str, width: int = 110) -> str:
    """Return a long line as lines of a comment."""
    lines: list[str] = [""]
    for word in text.split(", "):
        joined = f"{lines[-1]}, {word}" if lines[-1] else word
        lines = [*lines[:-1], joined] if len(joined) <= width else [*lines[:-1], f"{lines[-1]},", word]
    return "\n#   ".join(re.sub(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", line) for line in lines)


def _yaml(text: str) -> str:
    """Return a text as YAML has it, in quotes where it needs them."""
    return yaml.safe_dump([text], default_flow_style=True, width=10**6, allow_unicode=True).strip()[1:-1]


def _print(line: str) -> None:
    _out.print(line, highlight=False, soft_wrap=True)
