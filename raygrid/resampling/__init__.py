"""Resampling: (X, y, seed) -> (A, y'), the mixing matrix of the resampled set and its labels.

A new resampler is one class in `samplers.py` and one line here.
"""

from raygrid.resampling.samplers import (
    Iht,
    NoResampling,
    RandomOversampling,
    RandomUndersampling,
    Resampler,
    Smote,
    SmoteEnn,
)

RESAMPLERS: dict[str, type[Resampler]] = {
    "none": NoResampling,
    "ros": RandomOversampling,
    "rus": RandomUndersampling,
    "smote": Smote,
    "smote_enn": SmoteEnn,
    "iht": Iht,
}

__all__ = ["RESAMPLERS", "NoResampling", "Resampler"]
