"""The house rules that a machine can check: which way imports run, what is loaded when, how long a file is."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "raygrid"

# A module or package imports from the lines above its own, and from itself; never from its own line or below.
LAYERS = [
    {"activity", "axes", "errors", "seeds", "wording"},
    {"storage"},
    {"host", "level", "mixtures"},
    {"networks", "usercode"},
    {"metrics"},  # by which classifiers stop
    {"classifiers", "datasets", "imbalance", "resampling", "splits"},  # the stages, one line a level
    {"representations"},  # a stage as well; what it reads may be a classifier's network
    {"gridfile"},
    {"keys"},
    {"cells"},
    {"folds"},
    {"costs", "images"},
    {"inputs", "choosing"},
    {"trial"},
    {"engine"},
    {"report"},
    {"commands"},
    {"api"},
    {"cli"},
    {"__main__"},
]
HEIGHT = {name: height for height, layer in enumerate(LAYERS) for name in layer}

# The only rooms that may import what is heavy, even within a function.
OWNERS = {
    "ray": {"engine.ray"},
    "keras": {"networks"},
    "tensorflow": {"networks"},
    "torch": {"networks"},
    "jax": {"networks"},
    "keras_hub": {"networks"},
    "timm": {"networks"},
    "imblearn": {"resampling"},
    "typer": {"cli"},
}

MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != PACKAGE / "__init__.py"
}


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of everything a file imports, at its top, in functions and for type checkers."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import; write the whole name"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def unit(module: str) -> str:
    return module.partition(".")[0]


def test_every_module_has_its_place_in_the_table():
    assert {unit(module) for module in MODULES} == set(HEIGHT)
    assert sum(map(len, LAYERS)) == len(HEIGHT)


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module):
    ours = {unit(name.removeprefix("raygrid.")) for name in imports(MODULES[module]) if unit(name) == "raygrid"}
    wrong = {other for other in ours - {unit(module)} if HEIGHT[other] >= HEIGHT[unit(module)]}
    assert not wrong, f"raygrid.{module} imports {', '.join(sorted(wrong))}, which may not be below it"


def test_the_package_itself_imports_only_its_face():
    assert set(imports(PACKAGE / "__init__.py")) <= {
        "raygrid.api.load",
        "raygrid.api.run",
        "raygrid.commands.study.Study",
        "raygrid.gridfile.schema.Grid",
        "importlib.import_module",
        "typing.TYPE_CHECKING",
        "typing.Any",
    }


@pytest.mark.parametrize("library", OWNERS)
def test_only_its_owner_imports(library):
    found = {module for module, path in MODULES.items() if library in map(unit, imports(path))}
    assert {module for module in found if not module.startswith(tuple(OWNERS[library]))} == set()


def test_the_root_is_seen_at_a_glance():
    assert len(list(PACKAGE.glob("*.py"))) <= 15


def test_the_reader_of_imports_sees_every_kind(tmp_path):
    file = tmp_path / "module.py"
    file.write_text(
        "import ray.tune as t\n"
        "from raygrid.storage import store, cache\n"
        "if TYPE_CHECKING:\n    from raygrid.engine import ray\n"
        "def f():\n    import keras\n"
    )
    found = ["keras", "ray.tune", "raygrid.engine.ray", "raygrid.storage.cache", "raygrid.storage.store"]
    assert sorted(imports(file)) == found


@pytest.mark.parametrize(
    "code",
    [
        "import raygrid",
        "main('--help')",
        "main('run', '--help')",
        "main('schema')",
        "main('status', 'experiments/quickstart.yaml', '--store', sys.argv[1])",
        "main('status', 'experiments/resamplers.yaml', '--store', sys.argv[1])",
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(tmp_path, code):
    script = f"""
import sys

def main(*arguments):
    from raygrid.cli import main
    sys.argv = ["raygrid", *arguments]
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code

{code}
print("loaded:", *sorted({{"ray", "keras", "tensorflow", "torch", "jax", "sklearn", "imblearn"}} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    assert (run.returncode, [line for line in run.stderr.splitlines() if not line.startswith("store: ")]) == (0, [])
    *shown, loaded = run.stdout.splitlines()
    assert loaded == "loaded:"
    assert bool(shown) == ("main" in code)


@pytest.mark.parametrize("module", MODULES)
def test_a_file_is_read_at_one_sitting(module):
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) < 260


def test_python_runs_the_package_as_the_command():
    run = subprocess.run([sys.executable, "-m", "raygrid", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("raygrid ")
