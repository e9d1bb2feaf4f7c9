"""The predicted cost of cells on given machines, by stratum and in total. Nothing here reads a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite
from typing import Any

from raygrid.axes import STRATUM_AXES
from raygrid.cells import Cell, by_stratum
from raygrid.costs.model import CostModel, Estimate
from raygrid.costs.schedule import Machines, fits, wall_seconds
from raygrid.errors import UsageError
from raygrid.gridfile.resources import Resources
from raygrid.gridfile.schema import Grid
from raygrid.level import labels
from raygrid.wording import plural


@dataclass(frozen=True)
class Line:
    """The cells to do of one stratum, and what one of them takes."""

    levels: Mapping[str, str]
    n_train: int | None
    n_cells: int
    resources: Resources
    estimate: Estimate | None

    @property
    def hours(self) -> float:
        """Hours of all trials together; zero where there is no estimate."""
        return self.n_cells * self.estimate.seconds / 3600 if self.estimate else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain JSON values."""
        estimate = self.estimate
        found = {"seconds": estimate.seconds if estimate else None, "basis": estimate.basis if estimate else None}
        resources = self.resources.model_dump(include={"cpus", "gpus", "memory_gb"})
        return {**self.levels, "n_train": self.n_train, "cells": self.n_cells, **found, **resources}


@dataclass(frozen=True)
class Bill:
    """What the cells to do will cost.

    Attributes
    ----------
    lines : sequence of Line
        In the order of the run.
    machines : Machines
    seconds : float
        Wall-clock time of all trials on these machines; infinite where a trial has no room on them.
    spread : tuple or None
        As `CostModel.spread` returns it.
    devices : mapping
        As `CostModel` has them.
    """

    lines: Sequence[Line]
    machines: Machines
    seconds: float
    spread: tuple[float, float, int] | None
    devices: Mapping[tuple[bool, str], int]

    @property
    def cpu_hours(self) -> float:
        """CPUs times hours of all trials."""
        return sum(line.hours * line.resources.cpus for line in self.lines)

    @property
    def gpu_hours(self) -> float:
        """GPUs, or shares of them, times hours of all trials."""
        return sum(line.hours * line.resources.gpus for line in self.lines)

    @property
    def n_unknown(self) -> int:
        """How many cells have no estimate; every other number leaves them out."""
        return sum(line.n_cells for line in self.lines if not line.estimate)

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain JSON values; null is what is not known, or is infinite."""
        machines, seconds = self.machines, self.seconds if isfinite(self.seconds) else None
        return {
            "unknown": self.n_unknown,
            "cpu_hours": self.cpu_hours,
            "gpu_hours": self.gpu_hours,
            "machines": {
                "cpus": machines.cpus,
                "gpus": machines.gpus,
                "memory_gb": machines.memory_gb if isfinite(machines.memory_gb) else None,
                "price": machines.price,
            },
            "wall_hours": None if seconds is None else seconds / 3600,
            "cost": machines.cost(self.seconds),
            "spread": self.spread,
            "devices": [{"card": card, "name": name, "records": n} for (card, name), n in self.devices.items()],
            "strata": [line.to_json() for line in self.lines],
        }


def bill_of(cells: Sequence[Cell], model: CostModel, resources: Mapping[str, Resources], machines: Machines) -> Bill:
    """Return what cells will cost, in the order of the run.

    Parameters
    ----------
    resources : mapping
        What a trial is given, by the name of its classifier.
    """
    strata, lines, of_cells = by_stratum(cells), list[Line](), dict[str, Line]()
    names = [labels(levels) for levels in zip(*strata, strict=True)]
    for levels, alike in strata.items():
        texts = [name[level] for name, level in zip(names, levels, strict=True)]
        lines.append(_line((alike[0].dataset.name, *texts[1:]), alike, model, resources))
        of_cells |= dict.fromkeys((cell.key for cell in alike), lines[-1])
    known = [(line.estimate.seconds, line.resources) for cell in cells if (line := of_cells[cell.key]).estimate]
    return Bill(lines, machines, wall_seconds(known, machines), model.spread(), model.devices)


def _line(levels: tuple[str, ...], cells: list[Cell], model: CostModel, resources: Mapping[str, Resources]) -> Line:
    sizes = model.sizes(cells[0])
    return Line(
        dict(zip(STRATUM_AXES, levels, strict=True)),
        sizes.n_train if sizes else None,
        len(cells),
        _of_trial(cells[0], resources),
        model.estimate(cells[0]),
    )


def _of_trial(cell: Cell, resources: Mapping[str, Resources]) -> Resources:
    return resources.get(cell.classifier.name, Resources())


def resources_of(grid: Grid, gpus_per_trial: float | None) -> dict[str, Resources]:
    """Return what a trial is given, by the name of its classifier.

    Parameters
    ----------
    gpus_per_trial : float or None
        Replaces the GPUs of the classifiers that have some in the grid file; where none has, those of the classifiers
        that work on images.

    Raises
    ------
    UsageError
        A number below zero.
    """
    classifiers = {arm.classifier.name: arm.classifier for arm in grid.arms}
    resources = {name: grid.resources.get(name, Resources()) for name in classifiers}
    if gpus_per_trial is None:
        return resources
    if not 0 <= gpus_per_trial < float("inf"):
        raise UsageError(f"--gpus-per-trial: got {gpus_per_trial:g}; expected at least 0; give another")
    on_gpus = [name for name, asked in resources.items() if asked.gpus]
    on_gpus = on_gpus or [name for name, classifier in classifiers.items() if classifier.takes == "images"]
    changed = {name: resources[name].with_numbers(gpus=gpus_per_trial) for name in on_gpus}
    return resources | changed


def sentences(bill: Bill) -> list[str]:
    """Return what a bill says, in sentences."""
    n_cells = sum(line.n_cells for line in bill.lines)
    if not n_cells:
        return []
    lines = []
    if bill.n_unknown < n_cells:
        lines.append(f"in all: {bill.cpu_hours:.3g} CPU-hours, {bill.gpu_hours:.3g} GPU-hours")
        lines.append(_wall_time(bill))
    if bill.spread:
        low, high, n_records = bill.spread
        lines.append(
            f"spread: 80% of {n_records} recorded cells took {low:.2f} to {high:.2f} times their stratum's mean"
        )
    if names := {name: kind for kind, name in bill.devices if name}:
        lines.append(
            "durations are those of " + ", ".join(f"{name}{' (a card)' * card}" for name, card in names.items())
        )
    if bill.n_unknown:
        is_for_cards = any(line.resources.gpus and not line.estimate for line in bill.lines)
        lines.append(
            f"no estimate for {bill.n_unknown} of {n_cells} cells, because none like them has been run"
            + (", or their data has not been read" if any(line.n_train is None for line in bill.lines) else "")
            + "; --pilot runs a few of them first, keeps their records, and predicts the others from them"
            + (" (on a machine with a card, for those that are given one)" if is_for_cards else "")
        )
    return lines


def _wall_time(bill: Bill) -> str:
    """Say how long it takes on the machines, and what they cost."""
    machines = bill.machines
    parts = [plural(machines.cpus, "CPU"), *([plural(machines.gpus, "GPU")] if machines.gpus else [])]
    on = " and ".join([*parts, *([f"{machines.memory_gb:g} GB"] if isfinite(machines.memory_gb) else [])])
    if not isfinite(bill.seconds):
        asked = {line.resources for line in bill.lines if not fits(line.resources, machines)}
        most = max(asked, key=lambda one: (one.gpus, one.cpus, one.memory_gb or 0))
        wanted = [plural(most.cpus, "CPU")]
        wanted += [f"{number:g} {unit}" for number, unit in ((most.gpus, "GPU"), (most.memory_gb, "GB")) if number]
        return (
            f"wall time: none on {on}, where some trials have no room; expected at least {', '.join(wanted)}; "
            "see --cpus, --gpus, --memory-gb"
        )
    cost = machines.cost(bill.seconds)
    paid = "" if cost is None else f", at a cost of {cost:.2f}"
    return f"wall time: {timedelta(seconds=round(bill.seconds))} on {on}{paid}"
