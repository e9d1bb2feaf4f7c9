"""A network of the user's own is trained as the paper's is."""

import sys

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.sparse import eye_array
from test_classifiers import Kept

from raygrid.classifiers import resuming
from raygrid.classifiers.builder import BuiltNetwork
from raygrid.errors import UsageError
from raygrid.storage.checkpoint import NO_CHECKPOINT
from raygrid.usercode import classes, source

SOURCE = """
import keras

def build(image_shape, n_classes):
    return keras.Sequential([
        keras.Input(image_shape),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(n_classes, activation="softmax"),
    ])

def of_logits(image_shape, n_classes):
    return keras.Sequential([keras.Input(image_shape), keras.layers.Flatten(), keras.layers.Dense(n_classes)])

class OfAClass(keras.Model):
    def __init__(self, n_classes):
        super().__init__()
        self.flat = keras.layers.Flatten()
        self.head = keras.layers.Dense(n_classes, activation="softmax")

    def call(self, images):
        return self.head(self.flat(images))

def of_a_class(image_shape, n_classes):
    model = OfAClass(n_classes)
    model(keras.ops.zeros((1, *image_shape)))
    return model

def of_five(image_shape, n_classes):
    return build(image_shape, 5)
"""
X = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3)).astype(np.uint8)
Y = np.arange(40) % 3


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module on Python's path."""
    (tmp_path / "my_nets.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_nets", raising=False)  # another test's
    source.first_checksum.cache_clear()
    return tmp_path / "my_nets.py"


def declared(builder, folder="nowhere", **parameters):
    """The level of a grid file in this folder."""
    return BuiltNetwork.model_validate({"name": "keras", "builder": builder, **parameters}, context={"folder": folder})


def train(seed, builder="my_nets:build", checkpoint=NO_CHECKPOINT, epochs=2):
    network = declared(builder, epochs=epochs, optimizer="adam", learning_rate=1e-3)
    return network.fit(X, eye_array(40, format="csr"), Y, seed=seed, checkpoint=checkpoint)


def same(a, b):
    return all(map(np.array_equal, a.weights, b.weights))


def test_a_seed_gives_one_network_interrupted_or_not(module, monkeypatch):
    one, other, again = train(1), train(2), train(1)
    assert same(one, again)
    assert not same(one, other)
    scores = one.scores(X)
    assert (scores.shape, scores.dtype) == ((40, 3), np.float32)
    assert one.predict(X).tolist() == scores.argmax(axis=1).tolist()
    monkeypatch.setattr(resuming, "_CHECKPOINT_EVERY_S", 0)
    kept = Kept(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        train(1, checkpoint=kept)
    train(2)
    assert same(train(1, checkpoint=kept), one)  # what dropout draws goes on as well


def test_a_model_of_an_own_class_is_trained(module):
    assert same(train(1, "my_nets:of_a_class"), train(1, "my_nets:of_a_class"))


def test_an_output_in_a_low_precision_is_refused(module):
    network = declared("my_nets:build", precision="mixed_bfloat16", epochs=1)
    expected = "output is bfloat16; expected float32, whatever its precision; give the last layer dtype='float32'"
    with pytest.raises(UsageError, match=f"{expected}|cannot compute in bfloat16"):
        network.fit(X, eye_array(40, format="csr"), Y, seed=1, checkpoint=NO_CHECKPOINT)


def test_it_learns(module):
    accuracy = (train(1, epochs=60).predict(X) == Y).mean()
    assert accuracy > 0.8


def test_a_changed_module_is_another_network(module):
    before = declared("my_nets:build")
    assert before.code["source"].startswith("sha256:")
    module.write_text(SOURCE + "\n# changed\n")
    assert declared("my_nets:build").code == before.code  # this process might have imported it
    source.first_checksum.cache_clear()
    assert declared("my_nets:build").code != before.code


def test_it_is_found_beside_the_grid_file_and_not_imported_before_it_is_built(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "nets_beside.py").write_text("raise OSError('imported')\n\ndef build(): ...\n")
    network = declared("nets_beside:build", folder=tmp_path)
    assert classes.code_of([network]) == [str(tmp_path / "nets_beside.py")]  # what goes to the workers
    with pytest.raises(OSError, match="imported"):
        network.build(32, 3, seed=0)


def test_without_a_grid_file_no_code_is_named(module):
    with pytest.raises(ValidationError, match="modules are imported only for the grid file of a command"):
        BuiltNetwork(builder="my_nets:build")


@pytest.mark.parametrize(
    ("builder", "message"),
    [
        ("my_nets", "got 'my_nets'; expected MODULE:NAME, e.g. my_package.my_module:my_name"),
        ("my_nets.build", "got 'my_nets.build'; expected MODULE:NAME"),
        ("my_nett:build", "got 'my_nett:build'; no module can be imported from nowhere or where Python looks: "),
        ("sys:exit", "no module can be imported from nowhere or where Python looks: ModuleNotFoundError: "),
        ("broken:build", "SyntaxError: '(' was never closed (broken.py, line 1)"),
        (":build", "got ':build'; expected MODULE:NAME"),
        ("my_nets:buld", "got 'my_nets:buld'; my_nets has no 'buld'"),
    ],
)
def test_a_builder_that_is_not_there_is_refused_early(module, builder, message):
    module.with_name("broken.py").write_text("def build(\n")
    with pytest.raises(ValidationError) as refused:
        declared(builder)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("function", "got"), [("of_logits", r"\(1, 3\) and sums to"), ("of_five", r"\(1, 5\) and sums to 1")]
)
def test_a_network_that_gives_no_probabilities_of_the_classes_is_refused(module, function, got):
    with pytest.raises(UsageError, match=rf"^builder my_nets:{function}: got .* of shape {got}.*end it in a softmax$"):
        train(1, builder=f"my_nets:{function}")
