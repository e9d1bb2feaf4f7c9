"""Levels of the user's own: where their classes are found, what a mistake reads like, keys, trust, and whole runs.

That they reach a cluster which is joined, test_many_nodes.py shows.
"""

import json
import pickle
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import jsonschema
import made_up
import pytest
import yaml

from raygrid.cells import expand
from raygrid.commands.earlier_code import sentence_on_earlier_code
from raygrid.errors import GridError, UsageError
from raygrid.gridfile.faults import load_grid
from raygrid.gridfile.resources import Resources, changed
from raygrid.gridfile.schema import Grid
from raygrid.storage.store import Store
from raygrid.usercode import classes, source

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "own_levels.yaml"

# Every way to go wrong is a class or a module of its own.
MODULES = {
    "fine": """
        from raygrid.resampling import Resampler
        from raygrid.classifiers import Classifier

        class Keep(Resampler):
            n: int = 1
            sizes: tuple[int, ...] = ()

            def _fit(self, X, y, seed):
                ...

        class Named(Keep):
            name: str = "kept"

        class Taken(Keep):
            name: str = "smote"

        class Commas(Keep):
            name: str = "a,b"

        class Half(Classifier):
            ...

        class Lists(Keep):
            some: list[int] = [1]
        """,
    "hidden": """
        from typing import ClassVar
        from fine import Keep

        class Called(Keep):
            name: ClassVar[str] = "called"

        class Fixed(Keep):
            n: ClassVar[int] = 3
        """,
    "others": "from fine import Keep as Kept\n\nclass Keep(Kept):\n    ...\n",
    "broken": "\nraise OSError('no\\nluck')\n",
    "lacks": "import no_such_library\n",
    "misspelt": "def f(:\n",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of modules; what is imported from it is forgotten."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]
    source.first_checksum.cache_clear()


def grid_of(folder, resamplers="[none]", classifier="svm", more=""):
    """A grid file: the classifier in line 5, resamplers in line 6, more from line 7."""
    path = folder / "grid.yaml"
    path.write_text(
        "name: small\ndatasets: [digits]\narms:\n"
        f"  - representation: features\n    classifier: {classifier}\n    resamplers: {resamplers}\n{more}"
    )
    return path


def test_a_parameter_may_be_fixed_by_a_class_variable(folder):
    (level,) = load_grid(grid_of(folder, "[hidden:Fixed]")).arms[0].resamplers
    assert (level.n, level.name) == (3, "Fixed")


def test_a_class_is_a_level_under_its_own_name_or_the_one_that_it_has_by_default(folder):
    grid = load_grid(grid_of(folder, "[fine:Keep, fine:Named, {name: fine:Keep, n: 3}]"))
    assert grid.levels()["resampler"] == ["Keep", "kept"]
    keep, named, other = grid.arms[0].resamplers
    assert (keep.n, named.name, other.n) == (1, "kept", 3)
    assert keep.code["class"] == "fine:Keep"
    assert [cell.resampler.name for cell in expand(grid)[:3]] == ["Keep", "kept", "Keep"]


FAULTS = {
    "no such module": (
        "nowhere.levels:X",
        "6:18: arms[0].resamplers[0]: got 'nowhere.levels:X'; no module can be imported "
        "from HERE or where Python looks: ModuleNotFoundError: No module named 'nowhere'",
    ),
    "a module that raises": (
        "broken:X",
        "6:18: arms[0].resamplers[0]: got 'broken:X'; no module can be imported "
        "from HERE or where Python looks: OSError: no luck (HERE/broken.py, line 2)",
    ),
    "a module that lacks another": (
        "lacks:X",
        "6:18: arms[0].resamplers[0]: got 'lacks:X'; no module can be imported "
        "from HERE or where Python looks: ModuleNotFoundError: No module named 'no_such_library' "
        "(HERE/lacks.py, line 1)",
    ),
    "no Python": (
        "misspelt:X",
        "6:18: arms[0].resamplers[0]: got 'misspelt:X'; no module can be imported "
        "from HERE or where Python looks: SyntaxError: invalid syntax (misspelt.py, line 1)",
    ),
    "no such class": (
        "fine:Kep",
        "6:18: arms[0].resamplers[0]: fine: no Resampler of that name: got 'Kep'; "
        "expected one of Keep, Named, Taken, Commas, Lists; did you mean 'Keep'?",
    ),
    "a class of another axis": (
        "fine:Half",
        "6:18: arms[0].resamplers[0]: fine: no Resampler of that name: got 'Half'; "
        "expected one of Keep, Named, Taken, Commas, Lists",
    ),
    "a module without any": (
        "json:dumps",
        "6:18: arms[0].resamplers[0]: json: no Resampler of that name: got 'dumps'; "
        "expected a class with fit_resample, or a subclass; define it there",
    ),
    "no class": (
        "'fine:'",
        "6:18: arms[0].resamplers[0]: got 'fine:'; expected MODULE:NAME, e.g. my_package.my_module:my_name",
    ),
    "a name of raygrid's": (
        "fine:Taken",
        "6:18: arms[0].resamplers[0]: fine:Taken: got the name 'smote', which is raygrid's own; give it another",
    ),
    "a name that --only would take apart": (
        "fine:Commas",
        "6:18: arms[0].resamplers[0]: fine:Commas: got the name 'a,b'; expected letters, digits, '.', '_' and '-' only",
    ),
    "a parameter of another type": (
        "{name: fine:Keep, n: x}",
        "6:39: arms[0].resamplers[0].n: got 'x'; expected a whole number",
    ),
    "an unknown parameter": (
        "{name: fine:Keep, m: 1}",
        "6:39: arms[0].resamplers[0].m: unknown key: got 'm'; expected one of name, n, sizes",
    ),
    "parameters that change": (
        "fine:Lists",
        "6:18: arms[0].resamplers[0]: fine:Lists: got parameters that cannot be "
        "hashed (unhashable type: 'list'); use tuples for lists",
    ),
    "a name that is no field": (
        "hidden:Called",
        "6:18: arms[0].resamplers[0]: hidden:Called: got name as a ClassVar; expected a field; write `name: str = ...`",
    ),
    "two classes of one name": (
        "fine:Keep, others:Keep",
        "4:5: arms[0]: got two classes named 'Keep'; give each resampler a name of its own",
    ),
}


@pytest.mark.parametrize(("level", "line"), FAULTS.values(), ids=FAULTS)
def test_a_mistake_is_told_in_one_line_with_its_place(folder, level, line):
    path = grid_of(folder, f"[{level}]")
    with pytest.raises(GridError) as refused:
        load_grid(path)
    assert str(refused.value).replace(f"{path}:", "").replace(str(folder), "HERE") == line


def test_a_class_that_lacks_what_its_axis_asks_for_is_refused(folder):
    with pytest.raises(GridError, match=r"classifier: fine:Half: got no fit, takes; define what its axis asks for$"):
        load_grid(grid_of(folder, classifier="fine:Half"))


def test_a_library_is_not_replaced_by_a_file_beside_the_grid_file(folder):
    (folder / "colorsys.py").write_text("raise OSError('taken for the library')\n")
    with pytest.raises(GridError, match="colorsys: no Resampler of that name"):
        load_grid(grid_of(folder, "[colorsys:X]"))


def test_resources_are_given_by_the_name_of_the_class(folder, tmp_path):
    grid = load_grid(EXAMPLE)
    assert grid.resources == {"NearestMean": Resources(cpus=1)}
    assert changed(grid.resources, ["NearestMean:cpus=2"], classifiers=grid.classifiers()) == {
        "NearestMean": Resources(cpus=2)
    }
    with pytest.raises(UsageError, match=r"got 'NearestMan'; expected one of cnn, .*, NearestMean"):
        changed({}, ["NearestMan:cpus=2"], classifiers=grid.classifiers())


def test_a_level_goes_pickled_with_what_its_key_knows_of_it(folder):
    level = load_grid(grid_of(folder, "[fine:Keep]")).arms[0].resamplers[0]
    copied = pickle.loads(pickle.dumps(level))
    assert (copied, copied.code) == (level, level.code)
    assert set(level.code) == {"class", "source"}


def test_the_schema_for_editors_takes_references(tiny):
    validator = jsonschema.Draft202012Validator(Grid.model_json_schema())
    assert not list(validator.iter_errors(yaml.safe_load(EXAMPLE.read_text())))
    for bad in ("a:", ":b", "a b:c", "a:b:c", "a:b.c"):
        assert list(validator.iter_errors(tiny | {"datasets": [bad]}))


# Keys: a process of its own each, for a process imports a module once.


def keys(folder: Path, grid: Path) -> dict[str, list[str]]:
    """Return the keys of the cells of each resampler, as a process that starts now finds them."""
    code = (
        "import sys, json; from pathlib import Path; from raygrid.gridfile.faults import load_grid\n"
        "from raygrid.cells import expand; cells = expand(load_grid(Path(sys.argv[1])))\n"
        "names = {cell.resampler.name for cell in cells}\n"
        "print(json.dumps({name: [cell.key for cell in cells if cell.resampler.name == name] for name in names}))"
    )
    command = [sys.executable, "-c", code, str(grid)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stdout)


def test_a_changed_source_is_another_cell_and_nothing_else_is(tmp_path):
    package = tmp_path / "here" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "levels.py").write_text("from package.parts import Keep\n")
    (package / "parts.py").write_text(
        "from raygrid.resampling import Resampler\n"
        + textwrap.dedent(
            """
        class Keep(Resampler):
            n: int = 1

            def _fit(self, X, y, seed):
                ...
        """
        )
    )
    grid = grid_of(package.parent, "[none, package.levels:Keep]")
    first = keys(tmp_path, grid)
    (package / "notes.txt").write_text("It was imported: there is a __pycache__ as well.")
    elsewhere = Path(shutil.copytree(package.parent, tmp_path / "there"))
    assert keys(elsewhere, elsewhere / "grid.yaml") == first
    (package / "__init__.py").write_text("# Changed.\n")
    changed_keys = keys(tmp_path, grid)
    assert changed_keys["none"] == first["none"]
    assert not set(changed_keys["Keep"]) & set(first["Keep"])


def test_other_parameters_are_other_cells(folder):
    grid = load_grid(grid_of(folder, "[fine:Keep, {name: fine:Keep, n: 2}, fine:Named]"))
    cells = expand(grid)
    assert len({cell.key for cell in cells}) == len(cells) == 90
    shutil.copytree(EXAMPLE.parent, folder, dirs_exist_ok=True)
    (folder / "grid.yaml").write_text(EXAMPLE.read_text().replace("every: 3", "every: 4"))
    assert not {cell.key for cell in expand(load_grid(folder / "grid.yaml")) if cell.dataset.name == "Bars"} & {
        cell.key for cell in expand(load_grid(EXAMPLE))
    }


def test_a_package_goes_whole_and_a_module_alone(folder):
    (folder / "spaces").mkdir()  # a package without an __init__.py
    shutil.copy(folder / "fine.py", folder / "spaces" / "levels.py")
    levels = load_grid(grid_of(folder, "[none, fine:Keep, spaces.levels:Named]")).arms[0].resamplers
    assert classes.code_of(levels) == [str(folder / "fine.py"), str(folder / "spaces")]
    (folder / "spaces" / "more.py").write_text("")
    with pytest.raises(UsageError) as refused:
        classes.code_of(levels)
    assert str(refused.value) == (
        f"{folder}/spaces: got another source than when this command began; run the same command again"
    )


# Trust: to name a module is to run it, which only the grid file on the command line may.


@pytest.fixture
def trap(folder, monkeypatch):
    """A module that leaves a file when it is imported, and lies where Python looks."""
    (folder / "trap.py").write_text(
        f"from pathlib import Path\nPath({str(folder / 'sprung')!r}).touch()\n" + (folder / "fine.py").read_text()
    )
    monkeypatch.syspath_prepend(folder)
    monkeypatch.chdir(folder)
    return folder / "sprung"


def test_what_a_store_names_is_never_imported(trap, raygrid, grid_file, folder):
    grid, stores = grid_file(folds=1), [folder / "store", folder / "copy"]
    assert raygrid("run", grid, "--store", stores[0], "--engine", "inline")[0] == 0
    Store(stores[0]).write_text("grid.yaml", grid_of(folder, "[trap:Keep]").read_text())
    for path in (stores[0] / "records").iterdir():
        record = json.loads(path.read_text())
        record["cell"]["resampler"] |= {"name": "trap:Keep", "class": "trap:Keep"}
        path.write_text(json.dumps(record))
    assert raygrid("merge", stores[1], stores[0])[0] == 0
    for verb in ("status", "plan", "report"):
        assert raygrid(verb, grid, "--store", stores[1])[0] == 0
    assert not trap.exists()
    load_grid(stores[0] / "grid.yaml")  # a user's own choice
    assert trap.exists()


def test_a_declaration_that_is_no_grid_file_names_no_modules(trap, tiny):
    with pytest.raises(ValueError, match="got 'trap:Keep'; modules are imported only for the grid file of a command"):
        Grid.model_validate(tiny | {"arms": [tiny["arms"][0] | {"resamplers": ["trap:Keep"]}]})
    assert not trap.exists()


# The example.

SOME = ("--only", "dataset=Bars", "--only", "fold=0")


def results(store: Path) -> dict[str, str]:
    """Return the records, without what they cost."""
    texts = {path.name: json.loads(path.read_text()) | {"measured": None} for path in (store / "records").iterdir()}
    return {name: json.dumps(text) for name, text in texts.items()}


def test_the_example_adds_a_data_set_a_resampler_and_a_classifier_in_less_than_40_lines():
    assert len((ROOT / "examples" / "own_levels" / "__init__.py").read_text().splitlines()) < 40
    assert {
        axis: levels for axis, levels in load_grid(EXAMPLE).levels().items() if axis not in ("imbalance", "fold")
    } == {
        "dataset": ["Bars", "digits"],
        "representation": ["features"],
        "resampler": ["none", "Blend"],
        "classifier": ["NearestMean"],
    }


def test_results_of_another_state_of_the_code_are_not_thought_lost():
    cells = expand(load_grid(EXAMPLE))
    records = {cell.key: made_up.failed(cell, "error", "ValueError") for cell in cells}
    assert sentence_on_earlier_code(cells, records) == ""
    own = [cell for cell in cells if cell.fold == 0 and cell.classifier.name == "NearestMean"]
    for i, cell in enumerate(own):
        record = records.pop(cell.key)
        of_before = {**record.cell, "classifier": record.cell["classifier"] | {"source": "0123"}}
        records[f"{i:016x}"] = record.model_copy(update={"key": f"{i:016x}", "cell": of_before})
    told = f"own_levels: got other code than {len(own)} of {len(cells)} cells have records of; "
    assert own and sentence_on_earlier_code(cells, records).startswith(told)
    assert "own_levels" not in sentence_on_earlier_code([cell for cell in cells if cell not in own], records)
    other_levels = {key: record for key, record in records.items() if key not in {cell.key for cell in cells}}
    for key, record in other_levels.items():
        records[key] = record.model_copy(update={"cell": record.cell | {"fold": 99}})
    assert sentence_on_earlier_code(cells, records) == ""


def test_the_example_runs_inline(raygrid, tmp_path):
    code, out, _ = raygrid("run", EXAMPLE, "--store", tmp_path / "store", "--engine", "inline", *SOME)
    assert code == 0
    assert "NearestMean" in out
    records = Store(tmp_path / "store").records().values()
    assert {record.status for record in records} == {"done"}
    assert len(records) == 4
    for record in records:
        assert record.cell["classifier"]["class"] == "own_levels:NearestMean"
        assert record.metrics["AvAcc"] > 0.4  # of four classes
    blended = [record for record in records if record.cell["resampler"]["name"] == "Blend"]
    assert [len(set(record.class_counts["resampled"])) for record in blended] == [1, 1]


@pytest.mark.slow
def test_the_example_runs_on_ray_from_copies_of_its_code(launch, cache, raygrid, monkeypatch, tmp_path):
    folder = Path(shutil.copytree(EXAMPLE.parent, tmp_path / "examples"))
    # By another name, because this process may have imported the example.
    source = (folder / "own_levels").rename(folder / "levels_that_tell") / "__init__.py"
    grid = folder / EXAMPLE.name
    grid.write_text(grid.read_text().replace("own_levels:", "levels_that_tell:"))
    places = tmp_path / "places"
    with source.open("a") as file:
        file.write(f"print(__file__, file=open({str(places)!r}, 'a'))\n")
    monkeypatch.chdir(folder)  # from where workers would import what is there then

    run = launch("run", grid.name, "--store", tmp_path / "ray", "--cache", cache.root, *SOME)
    assert run.wait() == 0, run.log.read_text()
    copies = [place for place in places.read_text().split() if place != str(source)]
    assert copies
    assert not [place for place in copies if place.startswith(str(folder))]
    assert raygrid("run", grid.name, "--store", tmp_path / "inline", "--engine", "inline", *SOME)[0] == 0
    assert results(tmp_path / "ray") == results(tmp_path / "inline")
