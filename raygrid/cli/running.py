"""The verbs that need a grid file, data or code: they run cells, or say what a run needs."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raygrid.cli import options, values
from raygrid.cli.values import gathered
from raygrid.errors import UsageError

if TYPE_CHECKING:
    from raygrid.commands.job import Job
    from raygrid.costs.schedule import Machines
    from raygrid.engine import Terms

# What a verb needs is imported in the verb, so that --help answers at once.


def init(
    images: Annotated[
        Path | None,
        typer.Argument(metavar="IMAGES", help="A folder of class folders, a zip or tar of one, or an .npz."),
    ] = None,
    grid: Annotated[
        Path | None, typer.Argument(metavar="GRID", help="The file to write. Left out: IMAGES.yaml, in this folder.")
    ] = None,
    experiment: options.Experiment = None,
    cache: options.CacheFolder = options.DEFAULT_CACHE,
) -> None:
    """Count the images of each class, and write a grid file that fits them, with comments."""
    from raygrid.commands.experiments import copy_experiment
    from raygrid.commands.init import write_grid_file

    if (images is None) == (experiment is None):
        raise UsageError(f"init: got {'neither' if images is None else 'both'}; expected IMAGES or --experiment NAME")
    if experiment is not None:
        copy_experiment(experiment)
    elif images is not None:
        write_grid_file(images, grid, cache)


@gathered(job=values.job, machines=values.machines)
def plan(
    job: "Job",
    machines: "Machines",
    *,
    gpus_per_trial: options.GpusPerTrial = None,
    pilot: options.Pilot = False,
    engine: options.PilotEngine = "ray",
    address: options.Address = None,
    json: options.Json = False,
) -> None:
    """Show how many cells are done, infeasible or left to do on every axis, and what those left will cost.

    Hours are predicted from recorded durations; they are those of the machines that recorded them.
    """
    from raygrid.commands.plan import show_plan
    from raygrid.costs.bill import resources_of

    resources = resources_of(job.grid, gpus_per_trial)
    if pilot:
        from raygrid.commands.pilot import run_pilot
        from raygrid.engine import Terms

        run_pilot(job, engine, Terms(resources, address=address))
    show_plan(job, resources=resources, machines=machines, as_json=json)


@gathered(job=values.job_without_store)
def prepare(job: "Job") -> None:
    """Fetch data and weights, decode images and compute features ahead of time."""
    from raygrid.commands.prepare import prepare_inputs

    prepare_inputs(job)


@gathered(job=values.job, terms=values.terms)
def run(
    job: "Job",
    *,
    engine: options.EngineName = "ray",
    resources: options.ResourceFlags = [],  # noqa: B006
    terms: "Terms",
) -> None:
    """Run every cell that has no final record yet, then print the tables.

    It can be stopped at any moment, by Ctrl-C too; the same command goes on where it was.
    """
    from raygrid.commands.run import run_grid
    from raygrid.gridfile.resources import changed

    asked = changed(job.grid.resources, resources, classifiers=job.grid.classifiers())
    raise typer.Exit(run_grid(job, engine, replace(terms, name=job.name, resources=asked)))


@gathered(job=values.job_if_any)
def doctor(
    job: "Job | None",
    address: options.Address = None,
) -> None:
    """Say what would keep the grid from running here, and what to do about it; exit 1 if anything would."""
    from raygrid.commands.doctor import examine

    raise typer.Exit(examine(job, address=address))


def test(reference: options.Reference, parameters: options.Parameters = []) -> None:  # noqa: B006
    """Check that a class of your own does what a level must, a line a check; exit 1 if it does not."""
    from raygrid.commands.test import put_to_test

    raise typer.Exit(put_to_test(reference, parameters))


def schema() -> None:
    """Print the JSON Schema of a grid file, for editors."""
    from raygrid.commands.schema import show_schema

    show_schema()
