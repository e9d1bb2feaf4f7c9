"""Features of timm's networks, with random weights."""

from importlib.util import find_spec

import numpy as np
import pytest
import yaml

from raygrid.cells import expand
from raygrid.errors import GridError, UsageError, WeightsError
from raygrid.gridfile.faults import load_grid
from raygrid.host import Runtime
from raygrid.inputs import load_inputs
from raygrid.level import labels
from raygrid.networks import timm_models
from raygrid.representations.features import Features
from raygrid.representations.timm_features import TimmFeatures
from raygrid.storage.cache import Cache
from raygrid.storage.checksum import file_checksum

X = np.random.default_rng(0).integers(0, 256, (35, 32, 32, 3)).astype(np.uint8)
needs_timm = pytest.mark.skipif(find_spec("timm") is None, reason="needs timm, which with torch takes 5 GB; .[timm]")


def grid_of(tmp_path, *representations):
    arms = [{"representation": each, "classifier": "knn", "resamplers": ["none"]} for each in representations]
    path = tmp_path / "grid.yaml"
    path.write_text(yaml.safe_dump({"name": "mine", "folds": 1, "datasets": ["digits"], "arms": arms}))
    return load_grid(path)


def random_network(model="test_vit", **settings):
    import timm
    import torch

    torch.manual_seed(7)
    return timm.create_model(model, pretrained=False, **settings).eval()


def test_backbones_of_two_libraries_are_levels_of_one_name(tmp_path):
    grid = grid_of(tmp_path, "features", {"name": "features", "backbone": "timm:test_vit", "weights": "none"})
    kinds = [arm.representation for arm in grid.arms]
    assert [type(kind) for kind in kinds] == [Features, TimmFeatures]
    assert labels(kinds)[kinds[1]] == "features(backbone=timm:test_vit, weights=none, input_size=None)"
    assert kinds[1].identity() == {
        "name": "features",
        "backbone": "timm:test_vit",
        "weights": "none",
        "input_size": None,
    }
    with pytest.raises(
        GridError, match=r"unknown key: got 'alpha'; expected one of name, backbone, weights, input_size"
    ):
        grid_of(tmp_path, {"name": "features", "backbone": "timm:test_vit", "alpha": 1.0})


def test_without_timm_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(timm_models, "find_spec", lambda name: None)
    for refused in (TimmFeatures(backbone="timm:test_vit").to_fetch, lambda: features(weights="none")):
        with pytest.raises(UsageError) as line:
            refused()
        assert str(line.value) == "backbone timm:test_vit: timm is not installed; pip install 'raygrid[timm]'"


def features(images=X, *, seed=7, **settings):
    return TimmFeatures(**{"backbone": "timm:test_vit"} | settings).transform(images, seed=seed)


@needs_timm
@pytest.mark.parametrize("model", ["test_vit", "test_resnet"])
def test_vectors_are_the_networks_own_of_images_as_it_expects_them(model):
    import torch
    from PIL import Image
    from timm.data import create_transform, resolve_model_data_config

    net = random_network(model, num_classes=0)
    prepare = create_transform(**resolve_model_data_config(net), is_training=False)
    images = torch.stack([prepare(Image.fromarray(image)) for image in X[32:]])
    assert images.shape == (3, 3, 160, 160)
    with torch.inference_mode():
        expected = net(images).numpy()
    found = features(backbone=f"timm:{model}", weights="none")
    assert (found.shape, found.dtype) == ((35, net.num_features), np.float32)
    np.testing.assert_allclose(found[32:], expected, rtol=1e-4, atol=1e-5)


@needs_timm
def test_random_weights_are_the_seeds_and_leave_torchs_generator_alone():
    import torch

    before = torch.get_rng_state()
    once, again, other = (features(X[:2], seed=seed, weights="none") for seed in (1, 1, 2))
    assert np.array_equal(once, again) and not np.allclose(once, other)
    assert torch.equal(torch.get_rng_state(), before)
    assert TimmFeatures(backbone="timm:test_vit", weights="none").is_seeded


@needs_timm
@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_a_file_of_weights_is_read_but_for_its_classifier(tmp_path, suffix):
    import torch
    from safetensors.torch import save_file

    path = tmp_path / f"mine.{suffix}"
    whole = random_network(num_classes=9)
    (save_file if suffix == "safetensors" else torch.save)(whole.state_dict(), path)
    level = TimmFeatures(backbone="timm:test_vit", weights=str(path))
    whole.reset_classifier(0)
    torch.save(whole.state_dict(), tmp_path / "headless.pth")
    headless = features(X[:2], weights=str(tmp_path / "headless.pth"))
    assert np.array_equal(level.transform(X[:2], seed=1), headless)
    assert not np.allclose(headless, features(X[:2], weights="none", seed=1))
    assert level.identity()["weights"] == file_checksum(path) and not level.is_seeded


class Code:
    """What runs code when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (type(self.path).touch, (self.path,))


@needs_timm
def test_code_in_a_file_is_not_run(tmp_path):
    import torch

    torch.save({"state_dict": Code(tmp_path / "ran")}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match=r"evil.pth: got a file that does not fit timm:test_vit \("):
        features(weights=str(tmp_path / "evil.pth"))
    assert not (tmp_path / "ran").exists()


@needs_timm
def test_weights_of_another_network_are_refused_in_one_line(tmp_path):
    import torch

    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(
        WeightsError, match=r"other.pth: got a file that does not fit timm:test_vit \(it lacks or adds cls"
    ):
        features(weights=str(tmp_path / "other.pth"))
    with pytest.raises(UsageError, match=r"^backbone timm:test_vitt: got no network of timm; expected one such as "):
        features(backbone="timm:test_vitt", weights="none")


@needs_timm
def test_the_networks_size_can_be_another():
    small = features(X[:2], input_size=64, weights="none")
    assert small.shape == (2, 64) and not np.allclose(small, features(X[:2], weights="none"))
    assert features(X[:2], backbone="timm:test_resnet", input_size=64, weights="none").shape == (2, 96)


@needs_timm
def test_vectors_are_kept_in_the_cache_under_the_versions_that_computed_them(tmp_path, monkeypatch):
    grid = grid_of(tmp_path, {"name": "features", "backbone": "timm:test_vit", "weights": "none", "input_size": 32})
    (cell, *_), cache = expand(grid), Cache(tmp_path / "cache")
    first = load_inputs(cell, cache, Runtime())
    monkeypatch.setattr(timm_models, "vectors", None)
    again = load_inputs(cell, cache, Runtime())
    assert first.key == again.key and np.array_equal(first.X, again.X)
    assert first.X.shape == (1797, 64)
    monkeypatch.setattr(Runtime, "version_of", lambda self, name: "0")
    with pytest.raises(TypeError):
        load_inputs(cell, cache, Runtime())
