"""Imbalance: how many samples of each class a fold keeps.

A new profile is one class in this package and one line here.
"""

from raygrid.imbalance.profile import Profile, ProfileWithRatio
from raygrid.imbalance.profiles import Exponential, Harmonic, Linear, Natural, Step

PROFILES: dict[str, type[Profile]] = {
    "natural": Natural,
    "harmonic": Harmonic,
    "exponential": Exponential,
    "linear": Linear,
    "step": Step,
}

__all__ = ["PROFILES", "Profile", "ProfileWithRatio", "Natural", "Harmonic", "Exponential", "Linear", "Step"]
