"""Representations: they turn an image into what a classifier gets, pixels or a vector of features.

A new representation is one class in this package and one line here.
"""

from raygrid.representations.autoencoder import Autoencoder
from raygrid.representations.features import Features
from raygrid.representations.finetuned import Finetuned
from raygrid.representations.image import Image, Raw
from raygrid.representations.representation import Representation, TrainedRepresentation

REPRESENTATIONS: dict[str, type[Representation]] = {
    "image": Image,
    "raw": Raw,
    "features": Features,
    "autoencoder": Autoencoder,
    "finetuned": Finetuned,
}

__all__ = ["REPRESENTATIONS", "Representation", "TrainedRepresentation"]
