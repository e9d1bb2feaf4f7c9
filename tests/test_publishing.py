"""What a reader of the project's front sees: files that agree with each other, and links that lead somewhere."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import raygrid

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FRONT = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_citation_is_of_this_version_and_licence():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert (citation["version"], citation["license"]) == (raygrid.__version__, PROJECT["license"])
    assert f"## [{raygrid.__version__}]" in read("CHANGELOG.md") or "## [Unreleased]" in read("CHANGELOG.md")
    assert "Apache License" in read("LICENSE")


@pytest.mark.parametrize("name", FRONT)
def test_links_lead_to_files_of_the_project(name):
    targets = {target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", read(name)) if "://" not in target}
    assert {target for target in targets if not (ROOT / target).exists()} == set()


def test_the_picture_is_small():
    assert (ROOT / "docs" / "images" / "report.webp").stat().st_size < 150_000


def test_the_readme_is_a_page():
    assert len(read("README.md").splitlines()) <= 150
