"""Features of KerasHub's presets, with random weights and presets of one's own."""

from importlib.util import find_spec

import numpy as np
import pytest

from raygrid.errors import UsageError, WeightsError
from raygrid.networks import kerashub_models
from raygrid.networks.keras_backend import load_keras
from raygrid.representations.features import Features
from raygrid.representations.kerashub_features import KerasHubFeatures
from raygrid.storage.checksum import path_checksum

X = np.random.default_rng(0).integers(0, 256, (33, 32, 32, 3)).astype(np.uint8)
needs_kerashub = pytest.mark.skipif(find_spec("keras_hub") is None, reason="needs KerasHub; .[kerashub]")


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """The folders of a small convolutional network and of a small transformer."""
    load_keras().utils.set_random_seed(5)
    import keras_hub

    folder = tmp_path_factory.mktemp("presets")
    layers = {"stackwise_num_filters": [64], "stackwise_num_blocks": [1], "stackwise_num_strides": [1]}
    first = {"input_conv_filters": [64], "input_conv_kernel_sizes": [3], "block_type": "basic_block"}
    resnet = keras_hub.models.ResNetBackbone(**first, **layers, image_shape=(None, None, 3))
    size = {"image_shape": (16, 16, 3), "patch_size": 8, "hidden_dim": 6, "mlp_dim": 8}
    vit = keras_hub.models.ViTBackbone(**size, num_layers=1, num_heads=2)
    for name, network in (("resnet", resnet), ("vit", vit)):
        network.save_to_preset(folder / name)
        kind = getattr(keras_hub.layers, f"{'ResNet' if name == 'resnet' else 'ViT'}ImageConverter")
        kind(image_size=(16, 16), scale=1 / 255).save_to_preset(folder / name)
    return folder


@needs_kerashub
@pytest.mark.parametrize(("name", "n_features"), [("resnet", 64), ("vit", 6)])
def test_vectors_are_the_averages_of_places_or_first_tokens_of_converted_images(presets, name, n_features):
    import keras_hub

    level = KerasHubFeatures(backbone=f"kerashub:{presets / name}")
    found = level.transform(X, seed=0)
    assert (found.shape, found.dtype) == ((33, n_features), np.float32)
    network = keras_hub.models.Backbone.from_preset(str(presets / name))
    converter = keras_hub.layers.ImageConverter.from_preset(str(presets / name))
    outputs = np.asarray(network(converter(X[31:])))
    expected = outputs.mean(axis=(1, 2)) if name == "resnet" else outputs[:, 0]
    np.testing.assert_allclose(found[31:], expected, rtol=1e-4, atol=1e-5)
    assert level.identity()["backbone"] == f"kerashub:{path_checksum(presets / name)}"


@needs_kerashub
def test_random_weights_are_the_seeds(presets):
    level = KerasHubFeatures(backbone=f"kerashub:{presets / 'resnet'}", weights="none")
    once, again, other = (level.transform(X[:3], seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(once, again) and not np.allclose(once, other)
    assert level.is_seeded


@needs_kerashub
def test_a_preset_that_is_none_is_refused_in_one_line(tmp_path):
    with pytest.raises(WeightsError) as refused:
        KerasHubFeatures(backbone=f"kerashub:{tmp_path}").fetch()
    assert str(refused.value).startswith(f"backbone kerashub:{tmp_path}: got no preset of images (")
    assert "\n" not in str(refused.value)


def test_without_kerashub_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(kerashub_models, "find_spec", lambda name: None)
    level = KerasHubFeatures(backbone="kerashub:dinov2_small")
    assert KerasHubFeatures in Features.variants() and KerasHubFeatures.reads({"backbone": "kerashub:dinov2_small"})
    for refused in (level.to_fetch, level.fetch):
        with pytest.raises(UsageError) as line:
            refused()
        assert str(line.value).endswith("KerasHub is not installed; pip install 'raygrid[kerashub]'")
