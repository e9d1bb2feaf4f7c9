"""Every kind of input, by target, with how many of a hundred inputs are of it."""

import grids
import images
import stores
from hypothesis import strategies as st
from judging import Case

TARGETS: dict[str, tuple[int, st.SearchStrategy[Case]]] = {
    "folder": (12, images.folders()),
    "zip": (8, images.zips()),
    "tar": (6, images.tars()),
    "npz": (12, images.arrays()),
    "stl10": (4, images.binaries()),
    "grid": (24, grids.grids()),
    "store": (12, stores.folders()),
    "packed": (12, stores.zips()),
    "published": (5, stores.tables()),
    "flags": (5, grids.flags(stores.packed(stores.SOUND["own_data"]))),
}
