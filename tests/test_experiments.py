"""`raygrid init --experiment`: the grid files that come with raygrid."""

from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parents[1] / "experiments"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_copy_is_what_the_project_has(raygrid):
    said = "quickstart.yaml: written; read it, then: raygrid plan quickstart.yaml && raygrid run quickstart.yaml\n"
    assert raygrid("init", "--experiment", "quickstart") == (0, said, "")
    assert Path("quickstart.yaml").read_bytes() == (EXPERIMENTS / "quickstart.yaml").read_bytes()


def test_nothing_is_overwritten(raygrid):
    Path("quickstart.yaml").write_text("mine")
    code, out, err = raygrid("init", "--experiment", "quickstart")
    assert (code, out) == (2, "") and err.startswith("quickstart.yaml: got a file that is there already")
    assert Path("quickstart.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--experiment", "papers"], "--experiment: got 'papers'; expected one of beyond"),
        (["--experiment", "../paper"], "--experiment: got '../paper'"),
        ([], "init: got neither; expected IMAGES or --experiment NAME"),
        (["images", "--experiment", "paper"], "init: got both; expected IMAGES or --experiment NAME"),
    ],
)
def test_what_init_does_not_understand(raygrid, arguments, message):
    code, out, err = raygrid("init", *arguments)
    assert (code, out) == (2, "") and err.startswith(message)


def test_a_page_says_what_each_asks():
    page = (EXPERIMENTS.parent / "docs" / "tutorials" / "reproduce-the-paper.md").read_text(encoding="utf-8")
    names = {path.stem for path in EXPERIMENTS.glob("*.yaml")} - {"paper"}
    assert {name for name in names if f"`{name}`" not in page} == set()
