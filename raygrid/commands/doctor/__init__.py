"""doctor: checks whether a grid can run on this machine or on its cluster, and says what to do about each fault."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from raygrid.activity import doing
from raygrid.commands.doctor import needs, place, software, speed, system
from raygrid.commands.doctor.finding import Finding
from raygrid.commands.job import Job
from raygrid.commands.printing import Terminal, activity_shown

_EXAMINING = "examining this machine"


def examine(job: Job | None, *, address: str | None) -> int:
    """Print what every check finds, as it finds it; return 1 if anything is wrong, else 0.

    Parameters
    ----------
    job : Job or None
        None examines the machine alone.
    address : str or None
        Of the Ray cluster that the grid is to run on; None means this machine.
    """
    address = address or os.environ.get("RAY_ADDRESS")
    console, wrong = Terminal(), 0
    with activity_shown(_EXAMINING):
        for finding in findings(job, address):
            wrong += not finding.ok
            style = None if finding.ok else "bold"
            console.print(str(finding), highlight=False, soft_wrap=True, style=style)
            doing(_EXAMINING)
    return 1 if wrong else 0


def findings(job: Job | None, address: str | None) -> Iterator[Finding]:
    """Yield what is found: of this machine, of the grid, and of Ray, which takes longest."""
    wanted = {name: asked.gpus for name, asked in job.grid.resources.items()} if job else {}
    checks: list[Callable[[], Iterable[Finding]]] = [
        software.python,
        software.libraries,
        software.keras_backend,
        partial(software.gpus, {} if address else wanted),
        *([] if address else [partial(speed.backends, job)]),
        place.scheduler,
        system.open_files,
        system.shared_memory,
        system.ports,
        *([partial(needs.files, job), partial(needs.places, job)] if job else []),
        partial(system.ray, wanted, address),
    ]
    for check in checks:
        yield from check()
