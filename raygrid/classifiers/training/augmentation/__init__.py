"""Augmentation: changes of the images of a batch, drawn anew in every epoch, in training only.

A new augmentation is one class in this package and one line here.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from raygrid.classifiers.training.augmentation.augmentation import Augmentation, Batch
from raygrid.classifiers.training.augmentation.mixing import Mixup, Remix
from raygrid.classifiers.training.augmentation.moving import Crop, Flip
from raygrid.classifiers.training.part_of_level import OneOf

AUGMENTATIONS: dict[str, type[Augmentation]] = {
    "flip": Flip,
    "crop": Crop,
    "mixup": Mixup,
    "remix": Remix,
}


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


AnyAugmentations = Annotated[
    tuple[Annotated[Augmentation, OneOf(AUGMENTATIONS)], ...], Field(strict=False), BeforeValidator(_as_list)
]

__all__ = ["AUGMENTATIONS", "AnyAugmentations", "Augmentation", "Batch"]
