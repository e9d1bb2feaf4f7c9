"""The source of the user's own code: its files and their checksum, which enters the keys of cells."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

from raygrid.storage.checksum import files_checksum


def file_of(module: str) -> Path:
    """Return the file of a module; the packages above it are imported, but not the module.

    Raises
    ------
    ModuleNotFoundError
        There is no such module, or it is no file.
    """
    spec = find_spec(module)
    if not (spec and spec.has_location and spec.origin):
        raise ModuleNotFoundError(f"No module named {module!r} that is a file")
    return Path(spec.origin)


def root_of(module: str) -> Path:
    """Return the folder of the top-level package of a module, or the file of a module that is in no package."""
    file, top = file_of(module), find_spec(module.partition(".")[0])
    folders = map(Path, (top and top.submodule_search_locations) or ())
    return next((folder for folder in folders if file.is_relative_to(folder)), file)


@cache
def distributions() -> Mapping[str, Sequence[str]]:
    """Return which installed distributions have which top-level package, as it is when a process first asks."""
    return packages_distributions()


@cache
def first_checksum(root: Path) -> str:
    """Return the checksum that a root had when this process first asked, because code is imported only once."""
    return checksum(root)


def checksum(root: Path) -> str:
    """Return the checksum of all ``.py`` files of a package, or of the one file of a module."""
    files = root.rglob("*.py") if root.is_dir() else [root]
    return files_checksum({file.relative_to(root.parent).as_posix(): file for file in files})
