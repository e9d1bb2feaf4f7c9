"""init --experiment: a copy of one of the grid files that come with raygrid."""

from pathlib import Path

from raygrid.errors import UsageError, choices


def copy_experiment(name: str) -> None:
    """Copy a grid file that comes with raygrid into the working directory, and print what to do next.

    Parameters
    ----------
    name : str
        Of the file, without its suffix.

    Raises
    ------
    UsageError
        There is no such experiment, or the file is there already.
    """
    found = {path.stem: path for path in sorted(_folder().glob("*.yaml"))}
    target = Path(f"{name}.yaml")
    if name not in found:
        raise UsageError(f"--experiment: {choices(name, list(found))}")
    if target.exists():
        raise UsageError(f"{target}: got a file that is there already; go to another folder, or remove it")
    target.write_bytes(found[name].read_bytes())
    print(f"{target}: written; read it, then: raygrid plan {target} && raygrid run {target}")


def _folder() -> Path:
    """Return where the grid files are: in the installed package, or beside the package in a clone."""
    package = Path(__file__).parents[1]
    return next(folder for folder in (package / "experiments", package.parent / "experiments") if folder.is_dir())
