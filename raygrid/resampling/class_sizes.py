"""What samplers of imbalanced-learn need of the class sizes, so that `plan` knows before a run what they would refuse.

A sampler may need more, depending on where the samples lie; that is known only when it runs.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

import numpy as np

from raygrid.errors import InfeasibleError
from raygrid.resampling.resampler import Labels
from raygrid.resampling.strategy import Counts, plain

Kind = Literal["over-sampling", "under-sampling", "clean-sampling"]


def filled(y: Labels, sampling_strategy: str | float | Counts) -> list[int]:
    """Return the classes that an over-sampler makes samples of; raise InfeasibleError where it would refuse."""
    return [label for label, n_new in _counts(y, sampling_strategy, "over-sampling").items() if n_new]


def n_after(y: Labels, sampling_strategy: str | float | Counts) -> int:
    """Return how many samples there are after over-sampling."""
    return len(y) + sum(_counts(y, sampling_strategy, "over-sampling").values())


def thinned(y: Labels, sampling_strategy: str | float | Counts) -> list[int]:
    """Return the classes that an under-sampler draws from; raise InfeasibleError where it would refuse."""
    return list(_counts(y, sampling_strategy, "under-sampling"))


def cleaned(y: Labels, sampling_strategy: str) -> list[int]:
    """Return the classes that a cleaning sampler may drop samples of."""
    return list(_counts(y, sampling_strategy, "clean-sampling"))


def require_each(y: Labels, labels: Iterable[int], least: int, parameter: str) -> None:
    """Raise InfeasibleError if one of some classes has fewer samples than `least`, which a parameter asks for."""
    sizes = np.bincount(y)
    small = [label for label in labels if sizes[label] < least]
    if small:
        smallest = min(small, key=lambda label: sizes[label])
        got = f"got {sizes[smallest]} samples of class {smallest}"
        raise InfeasibleError(f"{got}; expected at least {least} ({parameter})")


def require_in_all(y: Labels, least: int, parameter: str) -> None:
    """Raise InfeasibleError if all classes together have fewer samples than `least`, which a parameter asks for."""
    require_number(len(y), "samples of all classes", least, parameter)


def require_number(n: int, what: str, least: int, parameter: str) -> None:
    """Raise InfeasibleError if there are fewer than `least`, which a parameter asks for."""
    if n < least:
        raise InfeasibleError(f"got {n} {what}; expected at least {least} ({parameter})")


def smallest_class(y: Labels) -> int:
    """Return the class with the fewest samples, the first of equal ones."""
    sizes = np.bincount(y)
    return int(np.where(sizes > 0, sizes, len(y) + 1).argmin())


def _counts(y: Labels, sampling_strategy: str | float | Counts, kind: Kind) -> dict[int, int]:
    return _of_sizes(tuple(np.bincount(y).tolist()), sampling_strategy, kind)


@lru_cache(maxsize=2**12)  # a grid may have as many folds of the same sizes
def _of_sizes(sizes: tuple[int, ...], sampling_strategy: str | float | Counts, kind: Kind) -> dict[int, int]:
    """Return how many samples of each class a sampler makes, or keeps at least, by the library's own rule."""
    if sampling_strategy == "auto" and len(sizes) > 1 and all(sizes):  # the library takes 1.5 s to import
        if kind == "over-sampling":
            return {label: max(sizes) - size for label, size in enumerate(sizes)}
        return {label: min(sizes) for label in range(len(sizes)) if label != sizes.index(min(sizes))}
    from imblearn.utils import check_sampling_strategy

    try:
        counts = check_sampling_strategy(plain(sampling_strategy), np.repeat(range(len(sizes)), sizes), kind)
    except ValueError as error:
        got = f"got classes of {min(sizes)} to {max(sizes)} samples"
        raise InfeasibleError(f"{got}; imbalanced-learn: {error}") from None
    return dict(counts)
