"""Every block of the documentation: YAML is a grid, Python runs, commands run; what cannot run says why.

The blocks of a page run in order, in one temporary folder that has `my_images/` (three classes of tiny images), the
`examples/` and the `experiments/` of the project.

- ```` ```yaml title="mine.yaml" ````, ```` ```python title="my_module.py" ````: a block with a title is a file of that
  name in the folder.
- `yaml` is a grid, or some keys of one: these take the place of the keys of `documents.MINIMAL`. A file of a grid is
  checked as it stands; what runs is a smaller one (`documents.shrunk`). A data set that is not there is `my_images`.
  What `raygrid init` writes runs smaller as well.
- `python` runs, all blocks of a page as one program. `raygrid.run` has the engine `inline`.
- `bash`: each line runs; `raygrid` in this process, `run` and a pilot with `--engine inline`. It must exit with 0.
- `<!-- not run: REASON -->` on the line before a fence: the block is only parsed, its commands as well.
- Text, the output of a command and other languages are `text`, `json` and the like. A block without a language fails.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
import yaml
from documents import MINIMAL, PAGES, ROOT, Block, blocks_of, commands_of, few_cells, shrunk, with_data_at_hand
from PIL import Image

from raygrid import api, cli
from raygrid.gridfile.faults import grid_of
from raygrid.gridfile.schema import Grid
from raygrid.level import Level
from raygrid.resampling import RESAMPLERS
from raygrid.storage.record import Record

sys.path.append(str(ROOT / "scripts"))
import reference
import write_reference

NAMES = {str(page.relative_to(ROOT)): page for page in PAGES}
NOT_RUN = {f"{name}:{block.line}": block for name, page in NAMES.items() for block in blocks_of(page) if block.reason}


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Path:
    """What every page finds in its folder."""
    folder = tmp_path_factory.mktemp("material")
    rng = np.random.default_rng(0)
    for k, (name, size) in enumerate({"glass": 30, "metal": 24, "paper": 20}.items()):
        (folder / "my_images" / name).mkdir(parents=True)
        for i in range(size):
            pixels = rng.integers(80 * k, 80 * k + 90, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "my_images" / name / f"{i}.png")
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / "experiments").mkdir()
    (folder / "experiments" / "results").symlink_to(ROOT / "experiments" / "results")
    for path in [*(ROOT / "experiments").glob("*.yaml"), *(folder / "examples").glob("*.yaml")]:
        target = folder / path.parent.name / path.name
        at_hand = with_data_at_hand(yaml.safe_load(path.read_text()), target.parent, "../my_images")
        keep_small(target, few_cells(at_hand))
    return folder


def keep_small(path: Path, grid: dict[str, Any]) -> None:
    """Write a grid file that runs in seconds."""
    path.write_text(yaml.safe_dump(shrunk(grid), sort_keys=False))


class Reader:
    """Who does what a page says, block by block."""

    def __init__(self, folder: Path, raygrid) -> None:
        self.folder, self.raygrid, self.names = folder, raygrid, {"__name__": "__main__"}

    def take(self, block: Block) -> None:
        """Write the file that a block is, check it or run it."""
        if block.language == "yaml":
            self.check_grid(block)
        elif block.title:
            Path(block.title).write_text(block.text)
        elif block.language == "python":
            exec(compile(block.text, f"line {block.line}", "exec"), self.names)
        elif block.language == "bash":
            for command in commands_of(block):
                self.execute(command)

    def check_grid(self, block: Block) -> None:
        """Check a grid or some keys of one; keep a smaller one under its title."""
        content = yaml.safe_load(block.text)
        grid = with_data_at_hand(MINIMAL | content, Path.cwd())
        grid_of(yaml.safe_dump(grid, sort_keys=False), Path.cwd())
        if block.title:
            assert content.keys() >= {"name", "datasets", "arms"}, "a file of a grid must be whole"
            keep_small(Path(block.title), grid)

    def execute(self, command: str) -> None:
        """Run one command, raygrid's in this process unless the shell has work to do."""
        words = shlex.split(command)
        if words[0] == "cd":
            os.chdir(words[1])
        elif words[0] == "raygrid" and not set(command) & set("|>$&;*"):
            inline = ["--engine", "inline"] if words[1] == "run" or "--pilot" in words else []
            there = set(Path.cwd().glob("*.yaml"))
            code, out, err = self.raygrid(*words[1:], *(inline if "--engine" not in words else []))
            assert code in (0, None), f"{command}: exit code {code}\n{out}{err}"
            if words[1] == "init":
                for path in set(Path.cwd().glob("*.yaml")) - there:
                    keep_small(path, few_cells(yaml.safe_load(path.read_text())))
        else:
            path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
            run = subprocess.run(
                ["bash", "-euc", command], capture_output=True, text=True, env=os.environ | {"PATH": path}
            )
            assert run.returncode == 0, f"{command}: exit code {run.returncode}\n{run.stdout}{run.stderr}"


@pytest.fixture
def reader(material, tmp_path, raygrid, cache, monkeypatch) -> Iterator[Reader]:
    folder = Path(shutil.copytree(material, tmp_path / "page", symlinks=True))
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("RAYGRID_CACHE", str(cache.root))
    monkeypatch.setitem(api.run.__kwdefaults__, "engine", "inline")
    for name in {Path(block.title).stem for page in NAMES.values() for block in blocks_of(page) if block.title}:
        monkeypatch.delitem(sys.modules, name, raising=False)  # another test has a file of this name
    known = set(sys.modules)
    yield Reader(folder, raygrid)
    for name in set(sys.modules) - known:  # another page has other files of the same names
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_page_does_what_it_says(name, reader):
    for block in blocks_of(NAMES[name]):
        assert block.language, f"{name}:{block.line}: a block without a language; name it"
        if block.reason:
            continue
        try:
            reader.take(block)
        except Exception as error:
            raise AssertionError(f"{name}:{block.line}: {error}") from error


@pytest.mark.parametrize("place", NOT_RUN)
def test_what_is_not_run_is_well_formed(place):
    block = NOT_RUN[place]
    if block.language == "yaml":
        assert list(yaml.safe_load_all(block.text))
    if block.language == "python":
        compile(block.text, place, "exec")
    if block.language == "bash":
        for command in commands_of(block):
            parse(command)
    pytest.skip(block.reason)


def parse(command: str) -> None:
    """Check that the command line has the verb and the options of a command of raygrid's."""
    words = shlex.split(command)
    if words[:1] != ["raygrid"]:
        return
    end = next((i for i, word in enumerate(words) if word in ("|", ">", "&", ">/dev/null")), len(words))
    app = typer.main.get_command(cli.app)
    verb, given = words[1], words[2:end]
    command_of = app.commands[verb] if not verb.startswith("-") else app
    command_of.make_parser(typer.Context(command_of)).parse_args(args=list(given))


LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_files(name):
    page = NAMES[name]
    outside = [*(link for link in LINK.findall(page.read_text()) if "://" not in link)]
    lost = [link for link in outside if link[0] != "#" and not (page.parent / link.partition("#")[0]).exists()]
    assert lost == []


def test_the_site_is_built_and_needs_no_other_server(tmp_path):
    """Strict: no page out of the menu, no broken link or anchor, no name that mkdocstrings does not find."""
    pytest.importorskip("mkdocs", reason="needs pip install '.[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    pages = [page.read_text() for page in tmp_path.rglob("*.html")]
    assert len(pages) >= len(PAGES)
    loaded = {
        url
        for page in pages
        for url in re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"?(https?:[^\s\">]+)", page)
    }
    assert loaded == set()


def test_the_tables_of_the_reference_are_those_of_the_code():
    pages = {path.name: path.read_text(encoding="utf-8") for path in write_reference.PAGES.glob("*.md")}
    assert sum("<!-- generated: " in page for page in pages.values()) >= 4
    assert [name for name, page in pages.items() if write_reference.written(page) != page] == [], (
        "do: python scripts/write_reference.py"
    )


def test_every_level_key_and_field_has_a_description():
    assert reference.undescribed() == []


def test_a_level_without_a_word_is_found(monkeypatch):
    class Silent(Level):
        depth: int = 1

    monkeypatch.setitem(reference.levels.AXES["classifier"], "silent", Silent)
    assert reference.undescribed() == ["Silent", "Silent.depth"]


def test_the_reference_has_every_level_and_every_command():
    pages = "\n".join(text() for text in reference.GENERATED.values())
    levels = [name for axis in reference.levels.AXES.values() for name in axis]
    for name in [*levels, *RESAMPLERS, *Grid.model_fields, *Record.model_fields]:
        assert f"`{name}`" in pages or f"### {name} " in pages, name
    for verb in typer.main.get_command(cli.app).commands:
        assert f"## {verb}\n" in pages, verb


def test_the_design_names_every_room():
    rooms = {path.name for path in (ROOT / "raygrid").glob("*.py")} - {"__init__.py"}
    rooms |= {f"{path.parent.name}/" for path in (ROOT / "raygrid").glob("*/__init__.py")}
    text = (ROOT / "docs" / "explanation" / "design.md").read_text()
    assert [room for room in rooms if f"`{room}`" not in text] == []
