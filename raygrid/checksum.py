"""What files hold, whatever they are called and wherever they lie, in one line: *algorithm:hex*."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path


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
