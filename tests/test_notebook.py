"""The notebook in examples/: it runs, and it gives what it shows."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "examples" / "analysis.ipynb"


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what is shown below the cells, as text; of figures only that there is one."""
    shown = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                shown += [output.text] if output.name == "stdout" else []
            elif "image/png" in output.data:
                shown.append("a figure")
            else:
                shown.append(output.data["text/plain"])
    return shown


@pytest.mark.slow
def test_the_notebook_gives_what_it_shows(tmp_path, monkeypatch):
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RAYGRID_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "examples"
    folder.mkdir()
    shutil.copy(NOTEBOOK, folder)
    kept = nbformat.read(NOTEBOOK, as_version=4)
    executed = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(executed, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    assert len(texts(kept)) >= 7
    assert texts(executed) == texts(kept)


def test_it_shows_no_warning_and_no_path_of_a_machine():
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert '"stderr"' not in text and str(Path.home()) not in text and "/tmp/" not in text
