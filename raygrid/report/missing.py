"""What a table does about cells that have no result. This file imports nothing, so that --help answers at once."""

from typing import Literal

Missing = Literal["refuse", "mark", "drop"]
