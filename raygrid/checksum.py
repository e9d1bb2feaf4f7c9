"""What a file holds, whatever it is called and wherever it lies, in one line: *algorithm:hex*."""

import hashlib
from pathlib import Path


def file_checksum(path: Path, algorithm: str = "sha256") -> str:
    """Return *algorithm:hex* of a file's content."""
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"
