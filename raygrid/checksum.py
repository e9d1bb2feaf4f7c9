"""What files hold, whatever they are called and wherever they lie, in one line: *algorithm:hex*."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath


def file_checksum(path: Path, algorithm: str = "sha256") -> str:
    """Return *algorithm:hex* of a file's content."""
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


def files_checksum(files: Mapping[str, Path]) -> str:
    """Return *sha256:hex* of the contents of files under these names, in whatever order they come."""
    digest = hashlib.sha256()
    for name, file in sorted(files.items()):
        digest.update(os.fsencode(name) + b"\0" + file_checksum(file).encode() + b"\n")
    return f"sha256:{digest.hexdigest()}"


def in_folder(folder: Path) -> dict[str, Path]:
    """Return the files below a folder, by their relative POSIX path, hidden ones left out."""
    found = {}
    for top, _, names in os.walk(folder, followlinks=True):
        for name in names:
            file = Path(top, name)
            found[file.relative_to(folder).as_posix()] = file
    return {name: file for name, file in found.items() if not is_hidden(name)}


def path_checksum(path: Path) -> str:
    """Return *sha256:hex* of a file, or of a folder's file names and contents, but for hidden ones."""
    return files_checksum(in_folder(path)) if path.is_dir() else file_checksum(path)


def is_hidden(name: str) -> bool:
    """Whether a file is one that systems leave behind (``.DS_Store``, ``__MACOSX/...``), and not data."""
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)
