"""Seeds: one independent stream of random numbers for each purpose, derived from the grid's seed alone."""

import hashlib
import json


def seed_for(*parts: str | int | float) -> int:
    """Return a 32-bit seed that depends on every part and nothing else.

    Streams of different parts are independent for all practical purposes (SHA-256), so adding a level to
    an axis, or a purpose to the pipeline, never shifts the random numbers of another.

    Parameters
    ----------
    *parts
        What the stream is for, e.g. ``(2020, "stl10", 3, "class order")``.

    Returns
    -------
    int
        In [0, 2**32), as scikit-learn and Keras accept it.
    """
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return int.from_bytes(digest[:4], "little")
