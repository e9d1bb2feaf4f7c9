"""The command line: translates flags and errors, and nothing else."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from raygrid.cli import reading, running
from raygrid.errors import UsageError
from raygrid.wording import shown, without_passwords

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Run a declared grid of experiments on imbalanced image recognition; resume it at any moment; get the tables.",
    epilog="Exit codes: 0 all cells done, 1 some failed, 2 usage, 130 interrupted.",
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


# In the order of --help.
_VERBS = (
    running.init,
    running.plan,
    running.prepare,
    running.run,
    reading.status,
    reading.logs,
    running.doctor,
    reading.report,
    reading.open_page,
    reading.compare,
    reading.merge,
    reading.pack,
    running.test,
    running.schema,
)
for _verb in _VERBS:
    app.command(_verb.__name__.partition("_")[0])(_verb)


def main() -> None:
    """Run the command line; a user's mistake is printed without a traceback and exits with 2."""
    try:
        app()
    except UsageError as error:
        print(shown(without_passwords(str(error))), file=sys.stderr)
        sys.exit(2)
