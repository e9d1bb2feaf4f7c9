"""A budget: limits the time and the cost of a run."""

import math
import time
from collections.abc import Callable

from raygrid.errors import UsageError


class Budget:
    """Counts the hours and the cost of one run, from here on; what earlier runs spent does not count.

    Parameters
    ----------
    max_hours : float or None
        Of wall-clock time.
    max_cost : float or None
        In the currency of `price`.
    price : float or None
        Of a GPU for an hour, or of a CPU where there are no GPUs; whole machines are paid for, busy or not.
    clock : callable
        Seconds that only grow.

    Raises
    ------
    UsageError
        A number that is not positive, or a cost without a price.
    """

    def __init__(
        self,
        max_hours: float | None = None,
        max_cost: float | None = None,
        price: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        given = {"--max-hours": max_hours, "--max-cost": max_cost, "--price": price}
        for option, value in given.items():
            if value is not None:
                check_positive(option, value)
        if max_cost is not None and price is None:
            raise UsageError("--max-cost: got no --price; expected the price of a GPU-hour (or CPU-hour); give both")
        self.max_hours, self.max_cost, self.price = max_hours, max_cost, price
        self.unit_hours = 0.0
        self._clock = clock
        self._start = self._last = clock()

    def spend(self, units: float) -> None:
        """Count the time since the last call (the first counts from the beginning).

        Parameters
        ----------
        units : float
            How large the machines are now: their GPUs, or their CPUs where there are no GPUs.
        """
        now = self._clock()
        self.unit_hours += units * (now - self._last) / 3600
        self._last = now

    def exhausted(self) -> str | None:
        """Return why the run must stop, or None while it may go on."""
        hours = (self._clock() - self._start) / 3600
        if self.max_hours is not None and hours >= self.max_hours:
            return f"stopped after {_rounded(hours)} hours (--max-hours {self.max_hours:g})"
        cost = self.unit_hours * (self.price or 0)
        if self.max_cost is not None and cost >= self.max_cost:
            return f"stopped at a cost of {_rounded(cost)} (--max-cost {self.max_cost:g})"
        return None


def check_positive(option: str, value: float) -> None:
    """Refuse what is not a positive number.

    Raises
    ------
    UsageError
    """
    if not (value > 0 and math.isfinite(value)):
        raise UsageError(f"{option}: got {value:g}; expected a positive number; give another")


def _rounded(value: float) -> str:
    """Return a number with one decimal, or with two digits where that would show nothing of it."""
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"
