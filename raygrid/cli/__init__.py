"""The command line: translates flags and errors, and nothing else."""

import errno
import gc
import logging
import os
import sys
import warnings
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from raygrid.cli import reading, running
from raygrid.errors import UsageError
from raygrid.wording import shown, without_passwords

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Run a declared grid of experiments on imbalanced image recognition; resume it at any moment; get the tables.",
    epilog="Exit codes: 0 all cells done, 1 some failed, 2 usage, 130 interrupted, 143 ended by SIGTERM.",
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        print(f"raygrid {version('raygrid')}")
        raise typer.Exit


@app.callback()
def raygrid(
    shows_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before a verb."""


# So many new objects are waited for before garbage is looked for: nothing of a grid of 100,000 cells is garbage.
_OBJECTS = 50_000

_QUIET = {"TQDM_DISABLE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}

# By the group in which --help shows them, in its order; each with what ends its own help.
_VERBS = {
    "Begin": (
        (running.init, "raygrid init photos mine.yaml"),
        (running.plan, "raygrid plan mine.yaml --pilot --cpus 32 --gpus 1 --price 2.5"),
        (running.doctor, "raygrid doctor mine.yaml"),
        (running.test, "raygrid test my_module:MySampler k=3"),
        (running.schema, "raygrid schema > grid.schema.json"),
    ),
    "Run": (
        (running.prepare, "raygrid prepare mine.yaml"),
        (running.run, "raygrid run mine.yaml --only dataset=mnist --max-hours 8"),
    ),
    "Look": (
        (reading.status, "raygrid status mine.yaml --follow"),
        (reading.logs, "raygrid logs mine.yaml 3f2a"),
        (reading.report, "raygrid report mine.yaml --rows dataset,imbalance --metric AvAcc"),
        (reading.open_page, "raygrid open mine.yaml"),
        (reading.compare, "raygrid compare experiments/paper.yaml --published paper --all"),
    ),
    "Stores": (
        (reading.merge, "raygrid merge runs/all laptop/runs/mine s3://bucket/mine"),
        (reading.pack, "raygrid pack runs/mine mine.zip --predictions"),
    ),
}
for _panel, _verbs in _VERBS.items():
    for _verb, _example in _verbs:
        _name = _verb.__name__.partition("_")[0]
        app.command(_name, rich_help_panel=_panel, epilog=f"Example: {_example}")(_verb)


def _quieten_libraries() -> None:
    """Keep warnings and bars of other libraries off the screen, here and in the processes that this one starts.

    A trial's warnings are in its record. Who sets these variables, or PYTHONWARNINGS, sees what they ask for.
    """
    os.environ |= {name: value for name, value in _QUIET.items() if name not in os.environ}
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it complains of a home folder that is not writable
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def main() -> None:
    """Run the command line; a user's mistake is printed without a traceback and exits with 2."""
    _quieten_libraries()
    gc.set_threshold(_OBJECTS)
    try:
        app()
    except UsageError as error:
        _refuse(str(error))
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:  # any argument may be such a name, and any use of it is the first
            raise
        got = str(error.filename)
        _refuse(f"{got[:60]}...: got a name of {len(got)} characters; expected one that a file can have; name another")


def _refuse(message: str) -> NoReturn:
    print(shown(without_passwords(message)), file=sys.stderr)
    sys.exit(2)
