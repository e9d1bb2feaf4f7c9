"""No number in experiments/ that its results do not give: the commands beside the numbers print them again.

Numbers that a published table prints may stand beside them.
"""

import re
from pathlib import Path

import pytest

from raygrid.storage.store import Store

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "experiments" / "results"
PAGES = sorted([*ROOT.glob("experiments/*.yaml"), *ROOT.glob("experiments/*.md")])

COMMAND = re.compile(r"^[$ ]*raygrid (.*experiments/results/.*)$")
NUMBER = re.compile(r"\b[01]\.\d{3,}\b")  # a metric, not a parameter
NOT_KEPT = "## Not kept"
PUBLISHED = {
    number
    for table in (ROOT / "raygrid" / "report" / "published").glob("paper*.csv")
    for number in NUMBER.findall(table.read_text(encoding="utf-8"))
}


def prose(path: Path) -> list[str]:
    """The lines that people read: of a grid file its comments, of a page what comes before what is not kept."""
    lines = path.read_text(encoding="utf-8").partition(NOT_KEPT)[0].splitlines()
    if path.suffix == ".yaml":
        return [line.removeprefix("#") for line in lines if line.startswith("#")]
    return lines


def stated(path: Path) -> list[tuple[str, list[str]]]:
    """Each command, and the lines of the table behind it."""
    found: list[tuple[str, list[str]]] = []
    lines = prose(path)
    for i, line in enumerate(lines):
        if match := COMMAND.match(line):
            blocks = "\n".join(" ".join(each.split()) for each in lines[i + 1 :]).lstrip("\n")
            found.append((match[1].strip(), [row for row in blocks.partition("\n\n")[0].splitlines() if row != "```"]))
    return found


STATED = [(path.name, command, rows) for path in PAGES for command, rows in stated(path)]


@pytest.mark.parametrize(("name", "command", "rows"), STATED, ids=[f"{name}: {command}" for name, command, _ in STATED])
def test_a_command_prints_the_table_behind_it(raygrid, tmp_path, monkeypatch, name, command, rows):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    code, out, err = raygrid(*command.split())
    assert (code, err) == (0, "")
    printed = [" ".join(line.split()) for line in out.splitlines()]
    assert len(rows) > 2 and [row for row in rows if row not in printed] == []
    assert [line for line in printed if line in rows] == rows


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_number_stands_in_such_a_table(path):
    kept = {number for _, rows in stated(path) for row in rows for number in NUMBER.findall(row)}
    assert set(NUMBER.findall("\n".join(prose(path)))) - PUBLISHED == kept - PUBLISHED


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*")), ids=lambda path: path.name)
def test_a_results_file_is_small_whole_and_named(path):
    assert path.stat().st_size < 1e6
    store = Store(path)
    assert {record.status for record in store.records().values()} <= {"done", "infeasible"}
    assert str(ROOT) not in store.read_text("grid.yaml") + store.read_text("cells.json")
    assert any(f"experiments/results/{path.name}" in command for _, command, _ in STATED)
