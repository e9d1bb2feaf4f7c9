"""The command line, with all that it imports when it is used, so that each input is spared the wait."""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # a process with threads is not to be forked

import sys
from functools import cache
from importlib import import_module

import typer.main

sys.dont_write_bytecode = True

from raygrid.cli import main  # noqa: E402  after the settings of threads

_USED = (
    *("raygrid.commands.job", "raygrid.commands.report", "raygrid.commands.compare", "raygrid.commands.status"),
    *("raygrid.commands.logs", "raygrid.commands.merge", "raygrid.commands.pack", "raygrid.commands.plan"),
    *("raygrid.commands.init", "raygrid.commands.follow", "raygrid.commands.test", "raygrid.costs.bill"),
    *("matplotlib.figure", "matplotlib.backends.backend_svg", "matplotlib.backends.backend_pdf"),
    *(
        "matplotlib.backends.backend_agg",
        "scipy.stats",
        "statsmodels.stats.multitest",
        "scikit_posthocs",
        "sklearn.svm",
    ),
    *("PIL.PngImagePlugin", "PIL.JpegImagePlugin", "PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.TiffImagePlugin"),
    *("PIL.WebPImagePlugin", "PIL.PpmImagePlugin", "lzma", "bz2", "rich.table", "rich.live", "upath", "jinja2"),
)
import_module("raygrid.usercode.source").distributions()
for _module in _USED:
    import_module(_module)

typer.main.get_command = cache(typer.main.get_command)  # which takes longer than most inputs

__all__ = ["main"]
