"""The source of code of the user's own: which files it is, and whether they are still what a cell's key says."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from raygrid.checksum import files_checksum


def file_of(module: str) -> Path:
    """Return the file of a module; the packages above it are imported, itself it is not.

    Raises
    ------
    ModuleNotFoundError
        There is none, or it is no file.
    """
    spec = find_spec(module)
    if not (spec and spec.has_location and spec.origin):
        raise ModuleNotFoundError(f"No module named {module!r} that is a file")
    return Path(spec.origin)


def root_of(module: str) -> Path:
    """Return the folder of the top-level package that a module is from, or the file of one that is in none."""
    file, top = file_of(module), find_spec(module.partition(".")[0])
    folders = map(Path, (top and top.submodule_search_locations) or ())
    return next((folder for folder in folders if file.is_relative_to(folder)), file)


@cache
def first_checksum(root: Path) -> str:
    """Return the checksum of a root as this process first found it: it imports nothing again."""
    return checksum(root)


def checksum(root: Path) -> str:
    """Return the checksum of every ``.py`` of a package, or of a module's one."""
    files = root.rglob("*.py") if root.is_dir() else [root]
    return files_checksum({file.relative_to(root.parent).as_posix(): file for file in files})
