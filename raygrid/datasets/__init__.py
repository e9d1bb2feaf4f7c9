"""Data sets: each is a class that loads images and labels.

A new data set is one class in this package and one line here.
"""

from raygrid.datasets.cifar10 import Cifar10
from raygrid.datasets.dataset import DatasetLevel
from raygrid.datasets.digits import Digits
from raygrid.datasets.from_path import FromPath
from raygrid.datasets.images import Images
from raygrid.datasets.mnist import Mnist
from raygrid.datasets.resizing import INTERPOLATIONS, stack
from raygrid.datasets.stl10 import Stl10
from raygrid.level import ExistingPath

DATASETS: dict[str, type[DatasetLevel]] = {
    "digits": Digits,
    "mnist": Mnist,
    "cifar10": Cifar10,
    "stl10": Stl10,
}

__all__ = ["DATASETS", "DatasetLevel", "ExistingPath", "FromPath", "Images", "INTERPOLATIONS", "stack"]
