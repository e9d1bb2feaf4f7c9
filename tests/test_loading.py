"""The process that loads inputs while the engine starts."""

import os
from dataclasses import replace
from importlib import import_module

import pytest
from PIL import Image

from raygrid.engine.loading import Loading
from raygrid.errors import DataError, UsageError
from raygrid.images import images_key
from raygrid.storage.cache import Cache


def test_it_loads_what_is_asked_for_and_says_what_it_does(cells_of, image_arm, tmp_path):
    cell, cache, told = cells_of(arms=[image_arm])[0], Cache(tmp_path), []
    with Loading([cell], cache) as loading:
        loading.wait(told.append)
    assert told[0] == "digits"
    assert told[1].startswith("digits, decoding image ")
    assert cache.has(images_key(cell)) and not cache.has("images-of-others")
    assert cache.known(images_key(cell))["X"].shape == (1797, 32, 32, 3)


def test_a_fault_of_the_data_is_raised_here(cells_of, image_arm, tmp_path):
    for part in ("train", "test"):
        for name in "ab":
            (tmp_path / "images" / part / name).mkdir(parents=True)
            Image.new("RGB", (32, 32)).save(tmp_path / "images" / part / name / "1.png")
    cell = cells_of(arms=[image_arm], datasets=[{"name": "mine", "path": str(tmp_path / "images")}])[0]
    cell.identity()  # its checksum is known, and only then a file breaks
    (tmp_path / "images" / "test" / "b" / "1.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="does not decode"), Loading([cell], Cache(tmp_path / "cache")) as loading:
        loading.wait(lambda what: None)


def test_its_death_is_told(cells_of, image_arm, tmp_path):
    with pytest.raises(UsageError, match="was killed, probably out of memory; free memory"):
        with Loading(cells_of(arms=[image_arm])[:1], Cache(tmp_path)) as loading:
            loading._process.kill()
            loading.wait(lambda what: None)


def test_a_fault_of_a_users_own_class_is_one_traceback(cells_of, image_arm, tmp_path, monkeypatch):
    module = """
from typing import ClassVar
from raygrid.datasets import DatasetLevel
class Breaks(DatasetLevel):
    name: ClassVar[str] = "mine"
    def load(self, image_size, interpolation):
        return 1 / 0
"""
    (tmp_path / "breaks.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)
    cell = replace(cells_of(arms=[image_arm])[0], dataset=import_module("breaks").Breaks())
    with pytest.raises(UsageError, match="got ZeroDivisionError") as caught:
        with Loading([cell], Cache(tmp_path / "cache")) as loading:
            loading.wait(lambda what: None)
    assert str(caught.value).count("Traceback") == 1
    assert "in load\n" in str(caught.value)


def test_it_ends_with_the_block(cells_of, image_arm, tmp_path):
    with Loading(cells_of(arms=[image_arm])[:1], Cache(tmp_path)) as loading:
        pid = loading._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
