"""The process that loads inputs while the engine starts."""

import os

import pytest
from PIL import Image

from raygrid.engine.loading import Loading
from raygrid.errors import DataError
from raygrid.images import images_key
from raygrid.storage.cache import Cache


def test_it_loads_what_is_asked_for_and_says_what_it_does(cells_of, image_arm, tmp_path):
    cell, cache, told = cells_of(arms=[image_arm])[0], Cache(tmp_path), []
    with Loading([cell], cache) as loading:
        loading.wait(told.append)
    assert told[0] == "digits"
    assert told[1].startswith("digits, decoding image ")
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
    with pytest.raises(RuntimeError, match="ended with -9"):
        with Loading(cells_of(arms=[image_arm])[:1], Cache(tmp_path)) as loading:
            loading._process.kill()
            loading.wait(lambda what: None)


def test_it_ends_with_the_block(cells_of, image_arm, tmp_path):
    with Loading(cells_of(arms=[image_arm])[:1], Cache(tmp_path)) as loading:
        pid = loading._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
