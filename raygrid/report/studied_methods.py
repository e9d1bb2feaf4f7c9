"""What every cell does beside its levels: its validation part, what it chooses and how, and where networks start."""

from collections.abc import Iterator
from pathlib import Path

from raygrid.cells import Cell
from raygrid.level import Level
from raygrid.report.results import Results

_WEIGHTS = {
    "imagenet": "weights trained on ImageNet",
    "embedded": "weights trained on CIFAR-10, which come with raygrid",
    "pretrained": "pretrained weights",
    "none": "random weights",
}


def settings(results: Results) -> Iterator[tuple[str, str]]:
    """Yield names and sentences of the settings that cells use, as far as a store says them, and of no others."""
    if parts := dict.fromkeys(_validation(cell) for cell in results.cells if cell.validation is not None):
        yield "Validation", "; ".join(parts)
    axes = ("representation", "classifier", "resampler")
    levels = dict.fromkeys(getattr(cell, axis) for cell in results.cells for axis in axes)
    if chosen := [text for level in levels for text in _chosen(level)]:
        ways = dict.fromkeys(record.choice.how for record in results.records.values() if record.choice)
        how = " or ".join(way.replace("on validation", "on the validation part") for way in ways)
        yield "Chosen", f"{'; '.join(chosen)}; in each cell{f', by {how}, never on test samples' if how else ''}"
    if networks := dict.fromkeys(text for level in levels for text in _networks(level)):
        yield "Networks", "; ".join(networks)


def _validation(cell: Cell) -> str:
    if cell.validation == "official":
        return "the validation part of the data set"
    return f"{cell.validation:g} of each class of the training part, taken out before resampling"


def _chosen(level: Level) -> Iterator[str]:
    """Yield each parameter that is chosen, with its candidates: *C of svm from 0.1, 1.0, 10.0*."""
    if level.text.startswith(f"{level.name}-chosen-"):
        for name, values in level.parameters_as_text().items():
            if "|" in values:
                yield f"{name} of {level.name} from {values.replace('|', ', ')}"


def _networks(level: Level) -> Iterator[str]:
    """Yield the network that a level starts from: *features: mobilenet, alpha 0.25, weights trained on ImageNet*."""
    said = level.parameters_as_text()
    if "backbone" in said and "weights" in said:
        alpha = "" if said.get("alpha") in (None, "1", "1.0") else f", alpha {said['alpha']}"
        weights = _WEIGHTS.get(said["weights"], f"weights of {Path(said['weights']).name}")
        yield f"{level.name}: {said['backbone']}{alpha}, {weights}"
