"""The arguments and options that several verbs of the command line share."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class EngineName(StrEnum):
    """Where trials run."""

    RAY = "ray"
    INLINE = "inline"


class MissingPolicy(StrEnum):
    """What a table does about cells without a result."""

    REFUSE = "refuse"
    MARK = "mark"
    DROP = "drop"


GridFile = Annotated[Path, typer.Argument(metavar="GRID", help="The grid file (YAML).")]
StoreFolder = Annotated[
    str | None, typer.Option("--store", metavar="DIR|URL", help="Where records live.", show_default="runs/NAME")
]
StoreFolders = Annotated[
    list[str],
    typer.Option("--store", metavar="DIR|URL", help="Where records live; may be repeated.", show_default="runs/NAME"),
]
CacheFolder = Annotated[
    str,
    typer.Option(
        "--cache",
        envvar="RAYGRID_CACHE",
        metavar="DIR|URL",
        help="Where decoded images and features are kept for every grid.",
    ),
]
Only = Annotated[
    list[str], typer.Option("--only", metavar="AXIS=LEVEL[,LEVEL]", help="Only these cells; may be repeated.")
]
Address = Annotated[str | None, typer.Option(help="Join this Ray cluster ('auto': the one of this machine).")]
GpusPerTrial = Annotated[float | None, typer.Option(help="For networks.", show_default="the grid file's resources")]
Cpus = Annotated[int, typer.Option(help="Machines to tell the time for: their CPUs.", show_default="this machine's")]
Gpus = Annotated[int, typer.Option(help="Their GPUs.")]
MemoryGb = Annotated[float, typer.Option(help="What trials may use of their memory.", show_default="what they ask for")]
Price = Annotated[float | None, typer.Option(help="Of a GPU for an hour; of a CPU where there is no GPU.")]
ResourceFlags = Annotated[
    list[str],
    typer.Option("--resources", metavar="CLASSIFIER:NAME=NUMBER,...", help="Instead of the file's; may be repeated."),
]
Reference = Annotated[str, typer.Argument(metavar="MODULE:CLASS", help="A level of your own.")]
Parameters = Annotated[list[str], typer.Argument(metavar="[NAME=VALUE]...", help="Its parameters, as in a grid file.")]
Published = Annotated[
    str, typer.Option(help="'paper', or a CSV: metric, dataset or imbalance_ratio, representation, ..., value.")
]
Missing = Annotated[MissingPolicy, typer.Option(help="Where cells have no result.")]
DEFAULT_CACHE = "~/.cache/raygrid"
DEFAULT_CPUS = os.cpu_count() or 1
