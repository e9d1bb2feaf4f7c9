"""The profiles of the literature. With M classes, rank i = 0 .. M - 1, and n samples in the first class.

References
----------
Koziarski, Cyganek, Wiatr (2020), The Choice of Feature Representation in Small-Scale MobileNet-Based Imbalanced Image
Recognition, VISAPP, equations (1) and (2) (harmonic); Cui et al. (2019), Class-Balanced Loss Based on Effective Number
of Samples, CVPR, and Cao et al. (2019), Learning Imbalanced Datasets with LDAM, NeurIPS (exponential; CIFAR-10-LT);
Buda, Maki, Mazurowski (2018), A systematic study of the class imbalance problem in convolutional neural networks,
Neural Networks 106 (step, linear).
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from raygrid.imbalance.profile import Profile, ProfileWithRatio, exact


class Natural(Profile):
    """Everything is kept: the imbalance is that of the data."""

    name: Literal["natural"] = "natural"
    class_order: Literal["by_size"] = "by_size"

    def kept(self, available: Sequence[int]) -> Sequence[int]:
        """Return all that is available."""
        return available


class Harmonic(ProfileWithRatio):
    """Class i keeps n / (1 + (IR - 1) i / (M - 1)): the first study's profile, and what a bare number means."""

    name: Literal["harmonic"] = "harmonic"

    @property
    def text(self) -> str:
        """The ratio alone."""
        return f"{self.ir:g}"

    @property
    def stream(self) -> str | float:
        """The ratio alone, unless something else is set: the seeds of the first study."""
        return self.ir if (self.class_order, self.test) == ("random", "same") else super().stream

    def size(self, n: int, rank: int, n_classes: int) -> int:
        """Return n / (1 + (IR - 1) i / (M - 1)), rounded down."""
        return int(n / (1 + (exact(self.ir) - 1) * rank / (n_classes - 1)))


class Exponential(ProfileWithRatio):
    """Class i keeps n IR^(-i / (M - 1)), as in long-tailed CIFAR ("CIFAR-10-LT")."""

    name: Literal["exponential"] = "exponential"

    def size(self, n: int, rank: int, n_classes: int) -> int:
        """Return n IR^(-i / (M - 1)), rounded down: the largest s with s^(M - 1) IR^i <= n^(M - 1)."""
        ratio, power = exact(self.ir), n_classes - 1
        bound = n**power * ratio.denominator**rank

        def is_too_large(size: int) -> bool:
            return bool(size**power * ratio.numerator**rank > bound)

        size = int(n * self.ir ** (-rank / power))  # floating point is wrong by one at most
        size -= is_too_large(size)
        return size if is_too_large(size + 1) else size + 1


class Linear(ProfileWithRatio):
    """Class i keeps n (1 - (1 - 1 / IR) i / (M - 1)): sizes fall by equal steps."""

    name: Literal["linear"] = "linear"

    def size(self, n: int, rank: int, n_classes: int) -> int:
        """Return n (1 - (1 - 1 / IR) i / (M - 1)), rounded down."""
        return int(n * (1 - (1 - 1 / exact(self.ir)) * rank / (n_classes - 1)))


class Step(ProfileWithRatio):
    """The last classes keep n / IR, the others n.

    Attributes
    ----------
    minority : float
        The share of the classes that are small, between 0 and 1: rounded down to a number of classes, at least 1.
    """

    name: Literal["step"] = "step"
    minority: Annotated[float, Field(gt=0, lt=1)] = 0.5

    def size(self, n: int, rank: int, n_classes: int) -> int:
        """Return n, or n / IR rounded down for one of the small classes."""
        n_small = max(1, int(exact(self.minority) * n_classes))
        return n if rank < n_classes - n_small else int(n / exact(self.ir))
