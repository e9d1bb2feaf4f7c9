"""What pyproject.toml cannot say: the grids of experiments/ as package data, and what a package index shows."""

import re
from pathlib import Path

from setuptools import find_packages, setup

# An index has neither the picture nor the files that relative links lead to.
readme = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
readme = re.sub(r"!\[[^]]*\]\((?!https?:)[^)]*\)\n*", "", readme)
readme = re.sub(r"\[([^]]*)\]\((?!https?:)[^)]*\)", r"\1", readme)

setup(
    long_description=readme,
    long_description_content_type="text/markdown",
    packages=[*find_packages(include=["raygrid*"]), "raygrid.experiments"],
    package_dir={"raygrid.experiments": "experiments"},
)
