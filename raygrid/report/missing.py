"""How a table treats cells without a result. This file imports nothing, so that --help is fast."""

from typing import Literal

Missing = Literal["refuse", "mark", "drop"]
