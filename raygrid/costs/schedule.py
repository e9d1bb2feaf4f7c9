"""Predict how long all cells take on given machines, by a list schedule like Ray's. Nothing here reads a file."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf, isfinite

from raygrid.costs.budget import check_positive
from raygrid.errors import UsageError
from raygrid.gridfile.resources import Resources

_PARTS = 10_000  # of a GPU, as Ray counts them


_MOST_UNITS = 100_000  # each of which the schedule follows


@dataclass(frozen=True)
class Machines:
    """What cells are run on, all machines together.

    Attributes
    ----------
    cpus, gpus : int
    price : float or None
        Of a GPU for an hour, or of a CPU where there are no GPUs, in any currency.
    memory_gb : float
        What trials may use of it.

    Raises
    ------
    UsageError
        A number is below zero, or there is no CPU.
    """

    cpus: int
    gpus: int = 0
    price: float | None = None
    memory_gb: float = inf

    def __post_init__(self) -> None:
        if self.cpus < 1:
            raise UsageError(f"--cpus: got {self.cpus}; expected at least 1; give another")
        if self.gpus < 0:
            raise UsageError(f"--gpus: got {self.gpus}; expected at least 0; give another")
        for option, number in (("--cpus", self.cpus), ("--gpus", self.gpus)):
            if number > _MOST_UNITS:
                raise UsageError(f"{option}: got {number}; expected at most {_MOST_UNITS}; give another")
        for option, given in (("--price", self.price), ("--memory-gb", self.memory_gb)):
            if given not in (None, inf):
                check_positive(option, given)

    def cost(self, seconds: float) -> float | None:
        """Return the price of all machines, busy or not, for this long; None where it is not known."""
        return (self.gpus or self.cpus) * seconds / 3600 * self.price if self.price and isfinite(seconds) else None


def wall_seconds(trials: Iterable[tuple[float, Resources]], machines: Machines) -> float:
    """Return when the last trial ends, if each starts as soon as there is room for it.

    The first in line that fits goes first, so that trials that wait for a GPU do not hold up those that need none. What
    shares a GPU lies on it alone: no trial has parts of two.

    Parameters
    ----------
    trials : iterable of (float, Resources)
        Seconds and what they are given, in the order of the run.

    Returns
    -------
    float
        Infinite where a trial fits nowhere.
    """
    lines: dict[Resources, deque[tuple[int, float]]] = {}
    for position, (seconds, resources) in enumerate(trials):
        lines.setdefault(resources, deque()).append((position, seconds))
    waiting = list(lines.items())
    room, running, now = _Room(machines), list[tuple[float, int, Resources, list[int]]](), 0.0
    while waiting or running:
        fitting = [(line[0][0], i) for i, (resources, line) in enumerate(waiting) if room.fits(resources)]
        if fitting:
            position, i = min(fitting)
            resources, line = waiting[i]
            _, seconds = line.popleft()
            if not line:
                del waiting[i]
            heappush(running, (now + seconds, position, resources, room.take(resources)))
        elif running:
            now = running[0][0]
            while running and running[0][0] == now:
                _, _, resources, cards = heappop(running)
                room.give_back(resources, cards)
        else:
            return inf
    return now


def fits(resources: Resources, machines: Machines) -> bool:
    """Whether a trial that is given this has room on the machines while they are free."""
    return _Room(machines).fits(resources)


class _Room:
    """What is free: CPUs, memory, and parts of each GPU."""

    def __init__(self, machines: Machines) -> None:
        self.cpus, self.memory_gb = machines.cpus, machines.memory_gb
        self.parts = [_PARTS] * machines.gpus

    def fits(self, resources: Resources) -> bool:
        n_cards, parts = _wanted(resources)
        has_memory = (resources.memory_gb or 0) <= self.memory_gb + 1e-6  # sums of floats
        return has_memory and resources.cpus <= self.cpus and sum(free >= parts for free in self.parts) >= n_cards

    def take(self, resources: Resources) -> list[int]:
        """Use the first cards with room; return which."""
        n_cards, parts = _wanted(resources)
        cards = [card for card, free in enumerate(self.parts) if free >= parts][:n_cards]
        self._add(resources, cards, -1)
        return cards

    def give_back(self, resources: Resources, cards: list[int]) -> None:
        self._add(resources, cards, +1)

    def _add(self, resources: Resources, cards: list[int], sign: int) -> None:
        self.cpus += sign * resources.cpus
        self.memory_gb += sign * (resources.memory_gb or 0)
        for card in cards:
            self.parts[card] += sign * _wanted(resources)[1]


def _wanted(resources: Resources) -> tuple[int, int]:
    """Return how many GPUs a trial wants, and how many parts of each: of one GPU some, of several all."""
    if resources.gpus > 1:
        return int(resources.gpus), _PARTS
    return (1, round(resources.gpus * _PARTS)) if resources.gpus else (0, 0)
