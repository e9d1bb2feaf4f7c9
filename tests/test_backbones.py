"""The backbones: their shape, their weights, and one line where the weights cannot be had."""

import os
import shutil
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from pydantic import ValidationError

from raygrid.classifiers.cnn import Cnn
from raygrid.errors import WeightsError
from raygrid.networks import backbones, resnet32
from raygrid.networks.architectures import ARCHITECTURES
from raygrid.networks.backbones import EMBEDDED, BackboneLevel, preprocess
from raygrid.networks.keras_backend import load_keras
from raygrid.representations import Representation
from raygrid.representations.activations import Activations
from raygrid.representations.features import Features
from raygrid.storage.checksum import file_checksum

# Where keras.applications has what its networks expect of images.
PREPROCESSING = {
    "mobilenet": "mobilenet",
    "mobilenet_v2": "mobilenet_v2",
    "mobilenet_v3_small": "mobilenet_v3",
    "efficientnet_v2_b0": "efficientnet_v2",
    "resnet50": "resnet",
}

SHARED = Path(__file__).parents[2] / "shared" / "weights"


def weights(level: Features, seed: int) -> list[np.ndarray]:
    return level.build_backbone(32, seed=seed).get_weights()


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture(scope="module")
def embedded():
    return Features(alpha=0.25, weights="embedded")


@pytest.fixture(scope="module")
def random():
    return Features(alpha=0.25, weights="none")


@pytest.mark.parametrize(
    ("image_size", "shape"), [(32, (None, 1, 1, 256)), (64, (None, 2, 2, 256))], ids=["32 pixels", "64 pixels"]
)
def test_a_backbone_ends_in_its_last_convolutional_activations(embedded, image_size, shape):
    model = embedded.build_backbone(image_size, seed=0)
    assert (model.input_shape, model.output_shape) == ((None, image_size, image_size, 3), shape)


def test_features_are_the_activations_of_preprocessed_images_flattened(embedded):
    X = np.random.default_rng(0).integers(0, 256, (70, 64, 64, 3)).astype(np.uint8)
    features = embedded.transform(X, seed=0)
    assert (features.shape, features.dtype) == ((70, 2 * 2 * 256), np.float32)
    model = embedded.build_backbone(64, seed=1)
    expected = model.predict_on_batch(X[60:] / np.float32(127.5) - 1)
    np.testing.assert_allclose(features[60:], np.asarray(expected).reshape(10, -1), rtol=1e-5, atol=1e-5)
    assert features.min() >= 0 and features.max() > 0


@pytest.mark.parametrize("backbone", PREPROCESSING)
def test_every_backbone_of_keras_is_kerass_on_images_as_keras_prepares_them(backbone):
    keras, applications = load_keras(), load_keras().applications
    images = np.random.default_rng(0).integers(0, 256, (2, 40, 40, 3)).astype(np.uint8)
    ours, model = ARCHITECTURES[backbone].build(1.0, 40)
    assert [weight.shape for weight in ours.weights] == [weight.shape for weight in model.weights]
    stock = getattr(applications, ARCHITECTURES[backbone].builder)(
        input_shape=(40, 40, 3), include_top=False, weights=None
    )
    stock.set_weights(model.get_weights())
    # Its first convolution: random networks make what differs there vanish.
    got, expected = (
        keras.Model(network.input, next(one for one in network.layers if isinstance(one, keras.layers.Conv2D)).output)
        for network in (ours, stock)
    )
    prepared = getattr(applications, PREPROCESSING[backbone]).preprocess_input(images.astype(np.float32))
    scale = np.abs(expected.predict_on_batch(prepared)).max()
    np.testing.assert_allclose(
        got.predict_on_batch(preprocess(images)), expected.predict_on_batch(prepared), atol=1e-5 * scale
    )


def test_a_resnet_32_has_the_parameters_of_the_papers():
    network = Cnn(backbone="resnet32", weights="none", dense_units=0).build(32, 10, seed=0)
    assert sum(np.prod(weight.shape) for weight in network.trainable_weights) == 464_154
    assert sum(weight.path.endswith("kernel") for weight in network.weights) == 32
    assert set(ARCHITECTURES) - set(PREPROCESSING) == {"resnet32"}
    features = Features(backbone="resnet32", weights="none", pooling="average")
    assert features.bytes_per_image(32) == features.transform(np.zeros((1, 32, 32, 3), np.uint8), seed=0).nbytes == 256
    assert Features(backbone="resnet32", weights="none").bytes_per_image(32) == 4 * 64 * 8 * 8


def test_a_shortcut_takes_every_second_pixel_and_adds_channels_of_zeros():
    x = np.arange(4 * 4 * 2, dtype=np.float32).reshape(1, 4, 4, 2)
    shortcut = load_keras().ops.convert_to_numpy(resnet32._shortcut(x, 4, strides=2))
    assert shortcut[0, ..., 1:3].tolist() == x[0, ::2, ::2].tolist()
    assert not shortcut[..., [0, 3]].any()


def test_any_named_layer_can_be_read(embedded):
    X = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    backbone = embedded.build_backbone(32, seed=0)
    layer = backbone.get_layer("conv_pw_11_relu").output
    expected = np.asarray(load_keras().Model(backbone.input, layer).predict_on_batch(preprocess(X)))
    assert expected.shape == (3, 2, 2, 128)
    features = {pooling: read(embedded, X, layer="conv_pw_11_relu", pooling=pooling) for pooling in POOLINGS}
    np.testing.assert_array_equal(features["flatten"], expected.reshape(3, -1))
    np.testing.assert_allclose(features["average"], expected.mean(axis=(1, 2)), rtol=1e-5)
    assert np.array_equal(read(embedded, X, layer="conv_pw_13_relu"), embedded.transform(X, seed=0))


def read(level: Features, X: np.ndarray, **changes: str) -> np.ndarray:
    return level.model_copy(update=changes).transform(X, seed=0)


POOLINGS = ("flatten", "average")


@pytest.mark.parametrize("layer", ["conv_pw_11_rely", "input_layer", "re_lu_1", "activation"])
@pytest.mark.parametrize("backbone", ["mobilenet", "mobilenet_v3_small"])
def test_a_layer_that_a_backbone_does_not_name_is_refused_in_one_line(backbone, layer):
    level = Features(backbone=backbone, weights="none", layer=layer)
    with pytest.raises(WeightsError) as refused:
        level.transform(np.zeros((1, 32, 32, 3), dtype=np.uint8), seed=0)
    line = str(refused.value)
    first = {"mobilenet": "conv1, conv1_bn", "mobilenet_v3_small": "conv, conv_bn, expanded_conv_"}
    assert line.startswith(f"layer of features: got {layer!r}; expected one of {first[backbone]}")
    assert "\n" not in line and "activation_" not in line and "re_lu" not in line.partition(";")[2]


@pytest.mark.parametrize(
    "level",
    [
        {"alpha": 0.25},
        {"alpha": 1.0, "pooling": "average"},
        {"backbone": "mobilenet_v2", "alpha": 0.35},
        {"backbone": "mobilenet_v2", "alpha": 1.4},
        {"backbone": "mobilenet_v3_small", "alpha": 0.75},
        {"backbone": "efficientnet_v2_b0", "pooling": "average"},
    ],
    ids=str,
)
def test_the_size_of_features_is_told_before_there_are_any(level):
    features = Features(weights="none", **level)
    assert features.bytes_per_image(64) == features.transform(np.zeros((1, 64, 64, 3), np.uint8), seed=0).nbytes


def test_keys_from_before_layers_could_be_named_hold(embedded):
    assert "layer" not in embedded.identity() and "pooling" not in embedded.identity()
    changes = ({"layer": "conv1"}, {"pooling": "average"}, {"layer": "conv1", "pooling": "average"})
    for change in changes:
        assert embedded.model_copy(update=change).identity() == embedded.identity() | change


def test_embedded_weights_are_those_of_the_file_whatever_the_seed(embedded, random):
    assert same(weights(embedded, 0), weights(embedded, 1))
    assert same(weights(embedded, 0), weights(Features(alpha=0.25, weights=str(EMBEDDED)), 2))
    assert not same(weights(embedded, 0), weights(random, 0))


def test_the_order_of_a_levels_bases_does_not_matter():
    class Reversed(Representation, BackboneLevel, Activations):
        name: Literal["features"] = "features"

    for method in ("identity", "fetch", "to_fetch", "build_backbone", "reader"):
        assert getattr(Reversed, method) is getattr(Features, method)


def test_random_weights_follow_the_seed(random):
    assert same(weights(random, 3), weights(random, 3))
    assert not same(weights(random, 3), weights(random, 4))


@pytest.mark.parametrize(
    ("level", "is_seeded"),
    [({"weights": "none"}, True), ({"weights": "embedded", "alpha": 0.25}, False), ({"weights": "imagenet"}, False)],
    ids=["none", "embedded", "imagenet"],
)
def test_only_random_weights_make_features_depend_on_the_seed(level, is_seeded):
    assert Features(**level).is_seeded is is_seeded


def test_preprocessing_maps_0_to_255_onto_minus_1_to_1():
    X = preprocess(np.array([0, 127.5, 255]))
    assert (X.tolist(), X.dtype) == ([-1, 0, 1], np.float32)
    assert preprocess(np.array([0, 255], dtype=np.uint8)).tolist() == [-1, 1]


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_weights_of_another_width_are_refused_in_one_line(alpha):
    with pytest.raises(WeightsError) as refused:
        Features(alpha=alpha, weights=str(EMBEDDED)).build_backbone(32, seed=0)
    message = str(refused.value)
    assert message.startswith(f"weights {EMBEDDED}: got a file that does not fit mobilenet alpha {alpha} (")
    assert "\n" not in message


def test_a_file_that_holds_no_weights_is_refused_in_one_line(tmp_path):
    path = tmp_path / "mine.weights.h5"
    path.write_text("hello")
    with pytest.raises(WeightsError) as refused:
        Features(alpha=0.25, weights=str(path)).build_backbone(32, seed=0)
    assert str(refused.value).startswith(f"weights {path}: got a file that does not fit mobilenet alpha 0.25 (")
    assert "\n" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("alpha", "file"),
    [(1.0, "mobilenet_1_0_224_tf_no_top.h5"), (0.75, "mobilenet_7_5_224_tf_no_top.h5")],
)
def test_imagenet_weights_that_cannot_be_downloaded_are_refused_in_one_line(tmp_path, alpha, file):
    code = (
        "from raygrid.errors import WeightsError\n"
        "from raygrid.representations.features import Features\n"
        f"try: Features(alpha={alpha}).fetch()\n"
        "except WeightsError as error: print('refused:', error)"
    )
    nowhere = "http://127.0.0.1:9"
    env = os.environ | {"KERAS_HOME": str(tmp_path), "HTTPS_PROXY": nowhere, "https_proxy": nowhere, "no_proxy": ""}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    (line,) = (line for line in run.stdout.splitlines() if line.startswith("refused:"))
    assert line.startswith("refused: weights imagenet: not in Keras' cache and the download failed (<urlopen error")
    assert f"; put {file} into {tmp_path}/models, or name a file: weights: PATH; for a first try: " in line
    assert (run.returncode, "Traceback" in run.stderr) == (0, False)


class Publisher(SimpleHTTPRequestHandler):
    """Serves the files of a folder, or half of each."""

    def do_GET(self):
        self.server.asked.append(Path(self.path).name)
        super().do_GET()

    def copyfile(self, source, outputfile):
        content = source.read()
        outputfile.write(content[: len(content) // 2] if self.server.is_short else content)

    def log_message(self, *args):
        pass


NAME = "mobilenet_2_5_224_tf_no_top.h5"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder of weights in the format that Keras publishes them in, for two sizes of images."""
    folder = tmp_path_factory.mktemp("published") / "mobilenet"
    folder.mkdir()
    model = Features(alpha=0.25, weights="none").build_backbone(32, seed=0)
    for size in ("224", "160"):
        model.set_weights([weight + int(size) for weight in model.get_weights()])
        model.save(folder / NAME.replace("224", size))
    return folder.parent


@pytest.fixture
def publisher(published, tmp_path, monkeypatch):
    """A server that has them; Keras' cache is empty."""
    folder = Path(shutil.copytree(published, tmp_path / "published"))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Publisher, directory=str(folder))) as server:
        server.asked, server.is_short, server.folder = [], False, folder / "mobilenet"
        monkeypatch.setattr(backbones, "PUBLISHED", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def in_models(tmp_path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "keras" / "models").iterdir() if path.suffix != ".lock")


@pytest.mark.parametrize(
    ("backbone", "alpha", "image_size"),
    [
        *(("mobilenet", alpha, 128) for alpha in (0.25, 0.5, 0.75, 1.0)),
        *(("mobilenet_v2", alpha, 96) for alpha in (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
        ("mobilenet_v2", 1.0, 100),
        ("mobilenet_v3_small", 0.75, 224),
        ("mobilenet_v3_small", 1.0, 128),
        ("efficientnet_v2_b0", 1.0, 64),
        ("resnet50", 1.0, 64),
    ],
)
def test_weights_are_asked_for_where_keras_publishes_them(backbone, alpha, image_size, tmp_path, monkeypatch):
    builder = getattr(load_keras().applications, ARCHITECTURES[backbone].builder)
    asked = []

    def get_file(name, url, *, cache_subdir, file_hash=None):
        asked.append((tmp_path / cache_subdir / name, url))
        raise FileNotFoundError

    monkeypatch.setattr(sys.modules[builder.__module__.replace("resnet_v2", "resnet")].file_utils, "get_file", get_file)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    width = {"alpha": alpha} if ARCHITECTURES[backbone].alphas else {}
    with warnings.catch_warnings(action="ignore"), pytest.raises(FileNotFoundError):
        builder(input_shape=(image_size, image_size, 3), include_top=False, weights="imagenet", **width)
    assert asked == [Features(backbone=backbone, alpha=alpha)._published(image_size)]


def test_processes_that_want_the_published_weights_at_once_download_them_once(publisher, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: Features(alpha=0.25).fetch(), range(4)))
    assert publisher.asked == [NAME]
    assert in_models(tmp_path) == [NAME]
    assert (tmp_path / "keras" / "models" / NAME).read_bytes() == (publisher.folder / NAME).read_bytes()


def test_a_node_without_the_published_weights_gets_them_as_it_builds(publisher, capsys):
    built = weights(Features(alpha=0.25), 0)
    assert publisher.asked == [NAME]
    assert same(built, weights(Features(alpha=0.25, weights=str(publisher.folder / NAME)), 1))
    assert capsys.readouterr().out == ""


def test_images_of_some_sizes_have_weights_of_their_own(publisher):
    built = Features(alpha=0.25).build_backbone(160, seed=0).get_weights()
    name = NAME.replace("224", "160")
    assert publisher.asked == [name]
    assert same(built, weights(Features(alpha=0.25, weights=str(publisher.folder / name)), 1))


def test_a_download_that_breaks_off_leaves_no_file_that_looks_whole(publisher, tmp_path):
    publisher.is_short = True
    with pytest.raises(WeightsError, match=r"^weights imagenet: not in Keras' cache and the download failed"):
        Features(alpha=0.25).build_backbone(32, seed=0)
    assert in_models(tmp_path) == [f"{NAME}.part"]
    publisher.is_short = False
    Features(alpha=0.25).build_backbone(32, seed=0)
    assert in_models(tmp_path) == [NAME]


def test_a_page_in_the_place_of_the_weights_is_not_kept(publisher, tmp_path):
    (publisher.folder / NAME).write_text("<html>Log in to this network</html>")
    with pytest.raises(WeightsError, match=rf"/{NAME}: got no HDF5 file\); put {NAME} into {tmp_path}/keras"):
        Features(alpha=0.25).fetch()
    assert in_models(tmp_path) == []


def test_half_a_file_that_another_program_left_is_named(publisher, tmp_path):
    path = tmp_path / "keras" / "models" / NAME
    path.parent.mkdir(parents=True)
    content = (publisher.folder / NAME).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(WeightsError) as refused:
        Features(alpha=0.25).build_backbone(32, seed=0)
    line = str(refused.value)
    assert line.startswith(f"weights imagenet: {path}: got a file that does not fit mobilenet alpha 0.25 (")
    assert line.endswith("; delete it to download it again") and "\n" not in line


def test_a_weights_file_is_known_by_what_it_holds(embedded, tmp_path):
    paths = [tmp_path / "a.h5", tmp_path / "b.h5", tmp_path / "c.h5"]
    for path in paths[:2]:
        shutil.copy(EMBEDDED, path)
    paths[2].write_text("other")
    a, b, c = (Features(alpha=0.25, weights=str(path)).identity() for path in paths)
    expected = {"name": "features", "backbone": "mobilenet", "alpha": 0.25, "weights": file_checksum(EMBEDDED)}
    assert a == b == embedded.identity() == expected
    assert c == expected | {"weights": file_checksum(paths[2])}
    assert Features().identity()["weights"] == "imagenet"


@pytest.mark.parametrize(
    ("level", "message"),
    [
        (
            {"alpha": 0.6},
            "got alpha 0.6 with weights imagenet; expected one of 0.25, 0.5, 0.75, 1.0",
        ),
        ({"weights": "embedded"}, "got alpha 1.0 with weights embedded; expected one of 0.25"),
        ({"weights": "embedded", "backbone": "resnet50"}, "got weights embedded with resnet50; they are mobilenet's"),
        (
            {"backbone": "resnet32"},
            "got weights imagenet with resnet32, which has none; write weights: none, or a path",
        ),
        ({"alpha": 0.5, "backbone": "resnet50"}, "got alpha 0.5 with resnet50, which has one width; leave it out"),
        (
            {"alpha": 0.25, "backbone": "mobilenet_v2"},
            "got alpha 0.25 with weights imagenet; expected one of 0.35, 0.5, 0.75, 1.0, 1.3, 1.4",
        ),
        ({"weights": "/no/such.h5"}, "got '/no/such.h5'; expected imagenet, embedded, none or the path of a weights"),
    ],
    ids=[
        "alpha",
        "embedded alpha",
        "embedded backbone",
        "none published",
        "one width",
        "another's alpha",
        "no such file",
    ],
)
def test_weights_that_do_not_exist_are_refused_at_once(level, message):
    with pytest.raises(ValidationError, match=message):
        Features(**level)


def test_the_embedded_weights_are_small_package_data():
    kept = files("raygrid") / "networks" / "weights" / EMBEDDED.name
    assert 500_000 < len(kept.read_bytes()) < 2_000_000


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"needs the weights of {SHARED}")
@pytest.mark.parametrize("alpha", [0.75, 1.0])
def test_published_weights_load(alpha):
    path = SHARED / f"mobilenet_{alpha}_imagenet_notop.weights.h5"
    features = Features(alpha=alpha, weights=str(path)).transform(np.zeros((1, 64, 64, 3), dtype=np.uint8), seed=0)
    assert features.shape == (1, 2 * 2 * int(1024 * alpha))
