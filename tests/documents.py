"""Pages of the documentation: their fenced blocks, and what makes a declared grid small enough to run in a second."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(
    r"(?:^ *<!-- not run: (?P<reason>[^\n]+) -->\n\n?)?"
    r"^(?P<indent> *)(?P<fence>```+)(?P<language>\S*)(?P<settings>[^\n]*)\n(?P<text>.*?)^(?P=indent)(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes
    ----------
    title : str
        The file that the block is; empty where it has no title.
    reason : str
        Why it is not run; empty where it is.
    """

    line: int
    language: str
    title: str
    reason: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            line=text.count("\n", 0, found.start("fence")) + 1,
            language=found["language"],
            title=(re.search(r'title="([^"]+)"', found["settings"]) or ["", ""])[1],
            reason=found["reason"] or "",
            text=re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
        )
        for found in _FENCE.finditer(text)
    ]


def commands_of(block: Block) -> list[str]:
    """Return the commands of a block of bash: comments removed, lines that end in a backslash joined."""
    lines = re.sub(r"\\\n\s*", " ", block.text).splitlines()
    stripped = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in lines)
    return [part.strip() for line in stripped for part in line.split(" && ") if part]


# What a block of YAML that is not a whole grid is merged into: its keys take the place of these.
MINIMAL: dict[str, Any] = {
    "name": "minimal",
    "datasets": ["digits"],
    "arms": [{"representation": "features", "classifier": "svm", "resamplers": ["none"]}],
}
_DOWNLOADED = {"mnist", "cifar10", "stl10"}


def with_data_at_hand(grid: dict[str, Any], folder: Path, images: str = "my_images") -> dict[str, Any]:
    """Return a grid in which a data set whose file is not in the folder reads `images` instead."""

    def at_hand(dataset: Any) -> Any:
        is_absent = isinstance(dataset, dict) and "path" in dataset and not (folder / dataset["path"]).exists()
        return dataset | {"path": images} if is_absent else dataset

    return grid | {"datasets": [at_hand(dataset) for dataset in grid["datasets"]]}


def shrunk(grid: dict[str, Any]) -> dict[str, Any]:
    """Return a grid that runs in seconds and downloads nothing: two folds, 32 pixels, one epoch, shipped weights."""
    split = grid.get("split", "official")
    split = split | {"n_splits": 2} if isinstance(split, dict) and "n_splits" in split else split
    datasets = [name for name in grid["datasets"] if not (isinstance(name, str) and name in _DOWNLOADED)]
    arms = [
        arm | {axis: _small(arm[axis]) for axis in ("representation", "classifier") if axis in arm}
        for arm in grid["arms"]
    ]
    small = {"datasets": datasets or ["digits"], "arms": arms, "folds": 2, "image_size": 32, "split": split}
    return grid | small


def _small(level: Any) -> Any:
    """Return a level with the smallest network there is, trained for one epoch; others as they are."""
    given = level if isinstance(level, dict) else {"name": level}
    if given["name"] == "finetuned":
        return given | {"network": _small(given.get("network", "cnn"))}
    if given["name"] == "cnn":
        kept = {key: given[key] for key in ("label", "class_weight", "loss", "logit_adjustment") if key in given}
        return kept | {"name": "cnn", "alpha": 0.25, "weights": "embedded", "epochs": 1, "dense_units": 0}
    if given["name"] == "features":
        return {"name": "features", "alpha": 0.25, "weights": "embedded", "pooling": given.get("pooling", "flatten")}
    return given | {"epochs": 1} if "epochs" in given or given["name"] in ("keras", "autoencoder") else level


def few_cells(grid: dict[str, Any]) -> dict[str, Any]:
    """Return a grid with one ratio and fold where it has ratios; of raygrid's resamplers, `none` and `smote` stay."""

    def few(resamplers: list[Any]) -> list[Any]:
        return [each for each in resamplers if each in ("none", "smote") or ":" in str(each)] or resamplers[:1]

    arms = [arm | {"resamplers": few(arm["resamplers"])} for arm in grid["arms"]]
    return grid | {"arms": arms} | ({"imbalance_ratios": [10], "folds": 1} if "imbalance_ratios" in grid else {})
