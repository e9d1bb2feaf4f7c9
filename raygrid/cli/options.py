"""The options and arguments that verbs have: their names, their help, and the group in which the help shows them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from raygrid import host
from raygrid.axes import METHOD_AXES
from raygrid.errors import choices
from raygrid.report.missing import Missing

# Groups of options in the help of a verb.
_CELLS = "Which cells, and where they are kept"
_MACHINES = "Where it is computed, with how much"
_LIMITS = "When it stops"
_PRICED = "For which machines the time and the cost are predicted"
_SHOWN = "What is shown"
_ONE_TABLE = "One table of your own in place of the report"
_TRACKERS = "Who else is told"


def _known_engine(name: str) -> str:
    from raygrid.engine import ENGINES

    return _one_of(ENGINES, name)


def _known_policy(name: str) -> str:
    return _one_of(get_args(Missing), name)


def _one_of(names: Sequence[str], name: str) -> str:
    if name not in names:
        raise typer.BadParameter(choices(name, names))
    return name


def _option(panel: str, text: str, *flags: str, **settings: Any) -> Any:
    return typer.Option(*flags, help=text, rich_help_panel=panel, **settings)


def _flag(panel: str, text: str, *flags: str) -> Any:
    return _option(panel, text, *flags, metavar="")  # or the help would show that it takes a value


def _engine(text: str) -> Any:
    return _option(_MACHINES, text, "--engine", metavar="ray|inline", callback=_known_engine)


_GRID_OR_STORE = "A grid file (YAML), or a store: a folder, a URL or a packed one. A store needs no data to be read."
_ONE_BELOW = " Left out: the one store below this folder."
_BESIDE = "runs/NAME beside the grid file"
_STORE = "The store, where records are kept."

GridFile = Annotated[Path, typer.Argument(metavar="GRID", help="The grid file (YAML).")]
GridOrStore = Annotated[str, typer.Argument(metavar="GRID|STORE", help=_GRID_OR_STORE)]
GridOrOnlyStore = Annotated[
    str, typer.Argument(metavar="GRID|STORE", help=_GRID_OR_STORE + _ONE_BELOW, show_default=False)
]
GridOrStoreIfAny = Annotated[
    str,
    typer.Argument(
        metavar="GRID|STORE", help=_GRID_OR_STORE + " Left out: lists the stores below this folder.", show_default=False
    ),
]
GridFileIfAny = Annotated[
    Path | None, typer.Argument(metavar="GRID", help="The grid file (YAML). Left out: only this machine is examined.")
]
StoreFolder = Annotated[str | None, _option(_CELLS, _STORE, "--store", metavar="DIR|URL|ZIP", show_default=_BESIDE)]
StoreFolders = Annotated[
    list[str],
    _option(
        _CELLS, _STORE + " Given several times, all are read.", "--store", metavar="DIR|URL|ZIP", show_default=_BESIDE
    ),
]
Experiment = Annotated[
    str | None,
    _option(_CELLS, "Copy this grid of raygrid's own, e.g. quickstart, in place of IMAGES.", metavar="NAME"),
]
CacheFolder = Annotated[
    str,
    _option(
        _CELLS,
        "Where decoded images and features are kept, for every grid.",
        "--cache",
        envvar="RAYGRID_CACHE",
        metavar="DIR|URL",
    ),
]
Only = Annotated[
    list[str],
    _option(
        _CELLS,
        "Only the cells with these levels, e.g. --only fold=0,1. Given several times, all must hold.",
        "--only",
        metavar="AXIS=LEVEL,...",
    ),
]
EngineName = Annotated[str, _engine("Ray Tune, or one cell after the other in this process, for debugging.")]
PilotEngine = Annotated[str, _engine("What runs the pilot's cells: Ray Tune, or this process.")]
Address = Annotated[
    str | None,
    _option(
        _MACHINES,
        "The Ray cluster to use: HOST:PORT, or 'auto' for one on this machine. Left out: one is started here.",
        metavar="HOST:PORT",
    ),
]
ResourceFlags = Annotated[
    list[str],
    _option(
        _MACHINES,
        "What each trial of a classifier may use, in place of what the grid file says, e.g. --resources cnn:gpus=0.25.",
        "--resources",
        metavar="CLASSIFIER:WHAT=N",
    ),
]
GpusPerTrial = Annotated[
    float | None,
    _option(
        _PRICED,
        "GPUs, or the share of one, for each trial of a network.",
        metavar="N",
        show_default="the grid file's resources",
    ),
]
Cpus = Annotated[int, _option(_PRICED, "CPUs of these machines.", metavar="N", show_default="this machine's")]
Gpus = Annotated[int, _option(_PRICED, "GPUs of these machines.", metavar="N")]
MemoryGb = Annotated[
    float,
    _option(
        _PRICED, "GB of memory that trials may use on these machines.", metavar="GB", show_default="what they ask for"
    ),
]
_PRICE_TEXT = "What a GPU costs an hour, in any currency; a CPU where there is no GPU."
Price = Annotated[float | None, _option(_PRICED, _PRICE_TEXT, "--price", metavar="AMOUNT")]
SpentPrice = Annotated[float | None, _option(_LIMITS, _PRICE_TEXT, "--price", metavar="AMOUNT")]
MaxHours = Annotated[float | None, _option(_LIMITS, "Stop after so many hours.", metavar="HOURS")]
MaxCost = Annotated[float | None, _option(_LIMITS, "Stop when so much is spent; needs --price.", metavar="AMOUNT")]
MlFlow = Annotated[str | None, _option(_TRACKERS, "Report trials to this MLflow server.", metavar="URI")]
TensorBoard = Annotated[Path | None, _option(_TRACKERS, "Write TensorBoard's event files there.", metavar="DIR")]
Verbose = Annotated[bool, _flag(_SHOWN, "Also what Ray and, with the inline engine, cells write.", "--verbose")]
Json = Annotated[bool, _flag(_SHOWN, "JSON, for programs.", "--json")]
Pilot = Annotated[
    bool, _flag(_MACHINES, "First run a few cells, one of each kind that has no record; records are kept.", "--pilot")
]
Follow = Annotated[bool, _flag(_SHOWN, "Go on until the run ends, or none begins for a minute.", "--follow")]
Every = Annotated[float, _option(_SHOWN, "With --follow: seconds between two looks.", min=0.1, metavar="SECONDS")]
Rows = Annotated[str, _option(_ONE_TABLE, "The axes of its rows, e.g. dataset,imbalance.", metavar="AXIS,...")]
Columns = Annotated[
    str, _option(_ONE_TABLE, "The axes of its columns.", metavar="AXIS,...", show_default=", ".join(METHOD_AXES))
]
Metrics = Annotated[str, _option(_ONE_TABLE, "With --rows: only these metrics.", metavar="METRIC,...")]
Groups = Annotated[
    str,
    _option(
        _SHOWN,
        "Which classes are head, medium and tail: thirds of the classes, or those with more than the first and fewer "
        "than the second number of training images, e.g. 100,20.",
        metavar="thirds|N,N",
    ),
]
Spread = Annotated[bool, _flag(_SHOWN, "Also the standard deviation over folds.", "--spread")]
PagePublished = Annotated[
    str | None, _option(_SHOWN, "On the page, the differences from these tables; see compare.", metavar="NAME|CSV")
]
ForPrint = Annotated[
    bool | None,
    _option(_SHOWN, "Figures as PDF and PNG too.", "--print/--no-print", metavar="", show_default="up to 5,000 cells"),
]
Watch = Annotated[
    int | None,
    _option(_SHOWN, "Write it again every so many seconds, while a run is at work.", min=1, metavar="SECONDS"),
]
Policy = Annotated[
    str,
    _option(
        _SHOWN,
        "Where cells have no result: refuse to average, mark the mean with a dash, or drop their folds.",
        metavar="|".join(get_args(Missing)),
        callback=_known_policy,
    ),
]
Despite = Annotated[
    str, _option(_SHOWN, "Compare although the protocols differ in these facts.", metavar="FACT,...|all")
]
Published = Annotated[
    str,
    _option(
        _SHOWN,
        "The tables: paper, cifar10_lt, or a CSV with the columns metric, dataset or imbalance_ratio, "
        "representation, resampler, value.",
        metavar="NAME|CSV",
    ),
]
Predictions = Annotated[
    bool, _flag("What is packed", "Also what was predicted for every test sample.", "--predictions")
]
EveryNumber = Annotated[bool, _flag(_SHOWN, "Every number, in place of a summary.", "--all")]
Reference = Annotated[
    str, typer.Argument(metavar="MODULE:CLASS", help="A class of your own, in a file in this folder or installed.")
]
Parameters = Annotated[
    list[str], typer.Argument(metavar="NAME=VALUE", help="Its parameters, with values as in a grid file.")
]
DEFAULT_CACHE = "~/.cache/raygrid"
DEFAULT_CPUS = host.cpus()
METHODS = ",".join(METHOD_AXES)
