"""Predicted against actual: what `raygrid plan --pilot` says of a grid, and what the grid then takes.

    python experiments/benchmarks/cost_model.py [GRID] [--only AXIS=LEVEL]... [--engine ray] [--cpus N] [--store DIR]

Runs the pilot of a grid (experiments/quickstart.yaml as it comes) in a new store, predicts every cell that is left,
runs them, and prints predicted and actual seconds of trials by stratum and in all, their ratio, and wall-clock time.
With --store, nothing is run: the records of a finished store stand in for it.

Predicted, before the first run (the quick start's folds 0 and 1, inline, on two cores that other work shares: a pilot
of 20 cells and 40 more): in all 1.15 times the actual seconds, between 0.9 and 1.4, for the pilot's first network pays
for TensorFlow's import and the tracing of its graph, which no later cell does; hence image, none, at IR 10 two or three
times too high. Every other stratum of the image arm between 0.7 and 1.4; of the features arm, whose cells take a tenth
of a second, between 0.5 and 2, but for its own first cell. Wall-clock time 1.15 times the actual.

Measured, with five other programs at work on the two cores, and more of them in the end: in all 1.16 (612 s predicted,
526 s actual, 41 cells), but as the sum of opposite errors: image, none from 1.6 to 7.1, for its pilot cell paid for
TensorFlow's start, its largest cell was thought too dear for the pilot; the rest from 0.31 (IR 10, run last) to 1.6.

Measured with --store, a store of the whole quick start, run on Ray before with little else at work: in all 1.20 (459 s
predicted, 381 s actual, 70 cells), 1.76 and 2.09 where a worker's first network was the pilot cell, all other strata
from 0.95 to 1.28; where the pilot's cells are none of those (--only fold=1,2): in all 1.03 (218 s, 211 s). Likewise
STL-10's features, 12 strata of 3 folds, recorded while the machine was busy and idle by turns: in all 1.06 (2545 s,
2400 s), strata from 0.50 to 2.64.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from raygrid.cells import Cell
from raygrid.commands.forecast import model_of
from raygrid.commands.job import Job, open_job
from raygrid.commands.pilot import pilot_cells, run_pilot
from raygrid.commands.run import run_grid
from raygrid.costs.bill import bill_of
from raygrid.costs.model import Stratum, stratum_of
from raygrid.costs.schedule import Machines
from raygrid.engine import Terms
from raygrid.storage.store import Store

AXES = ("representation", "resampler", "dataset", "imbalance")


def main() -> None:
    """Run the pilot and the rest, and print both."""
    given = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        job = open_job(given.grid, stores=[Path(scratch, "store")], cache=given.cache, only=given.only)
        if given.store:
            _copy_pilot(job, Store(given.store))
        else:
            run_pilot(job, given.engine, Terms(job.grid.resources))
        left, model = job.plan().todo, model_of(job)
        predicted = {cell.key: estimate.seconds for cell in left if (estimate := model.estimate(cell))}
        bill = bill_of(left, model, job.grid.resources, Machines(1 if given.engine == "inline" else given.cpus))
        start = time.perf_counter()
        if not given.store:
            run_grid(job, given.engine, Terms(job.grid.resources))
        wall = time.perf_counter() - start
        records = Store(given.store).records() if given.store else job.records()
    done = {cell.key: records[cell.key] for cell in left if cell.key in records and records[cell.key].status == "done"}
    _show(left, predicted, {key: sum(record.measured.seconds.values()) for key, record in done.items()})
    if not given.store:
        print(f"wall-clock time: {_ratio(bill.seconds, wall)} (with tables, and what the engine needs to start)")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("grid", type=Path, nargs="?", default=Path(__file__).parents[1] / "quickstart.yaml")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--engine", choices=["inline", "ray"], default="inline")
    parser.add_argument("--cpus", type=int, default=os.cpu_count())
    parser.add_argument("--store", type=Path, help="a finished store, whose records stand in for all that would be run")
    parser.add_argument("--cache", default=os.environ.get("RAYGRID_CACHE", str(Path("~/.cache/raygrid").expanduser())))
    return parser.parse_args()


def _copy_pilot(job: Job, finished: Store) -> None:
    """Do as a pilot does, but take the records of its cells from a finished store."""
    job.store.prepare()
    tried: set[Stratum] = set()
    while cells := pilot_cells(job, tried):
        tried |= {stratum_of(cell.identity()) for cell in cells}
        for record in filter(None, (finished.record(cell.key) for cell in cells)):
            job.store.write(record, {})


def _show(cells: Sequence[Cell], predicted: Mapping[str, float], actual: Mapping[str, float]) -> None:
    strata: dict[tuple[str, ...], list[str]] = {}
    for cell in cells:
        if cell.key in predicted and cell.key in actual:
            strata.setdefault(tuple(cell.levels()[axis] for axis in AXES), []).append(cell.key)
    for levels, keys in sorted(strata.items()):
        print(" ".join(levels).ljust(40), _ratio(_total(predicted, keys), _total(actual, keys)))
    both = [key for keys in strata.values() for key in keys]
    print(f"in all, {len(both)} of {len(cells)} cells:", _ratio(_total(predicted, both), _total(actual, both)))


def _total(seconds: Mapping[str, float], keys: Sequence[str]) -> float:
    return sum(seconds[key] for key in keys)


def _ratio(predicted: float, actual: float) -> str:
    return f"{predicted:8.1f} s predicted, {actual:8.1f} s actual, ratio {predicted / actual:.2f}"


if __name__ == "__main__":
    main()
