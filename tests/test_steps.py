"""Training steps: of images that are sent, and of images that the network keeps and mixes itself."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from raygrid.classifiers import cnn as cnn_module
from raygrid.classifiers.cnn import Cnn
from raygrid.classifiers.training.batches import Batches, BatchesOfKeptImages
from raygrid.errors import UsageError
from raygrid.host import Runtime
from raygrid.mixtures.mixing import mix, terms
from raygrid.networks import keras_backend
from raygrid.networks.steps import Steps, Trainer, kept, mixed
from raygrid.storage.checkpoint import NO_CHECKPOINT

CNN = Cnn(alpha=0.25, weights="embedded", batch_size=4, epochs=2)
N = 150  # 37 batches and a half: 32 in one call, five alone, and what is left over


def training_set(widest=3):
    """Return images, mixtures of one to `widest` of them, and labels."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (60, 32, 32, 3)).astype(np.uint8)
    widths = 1 + np.arange(N) % widest
    columns = np.concatenate([rng.choice(60, width, replace=False) for width in widths])
    shares = np.concatenate([rng.dirichlet(np.ones(width)) for width in widths])
    return X, csr_array((shares, columns, [0, *np.cumsum(widths)]), shape=(N, 60)), np.arange(N) % 5


@pytest.fixture
def room(monkeypatch):
    monkeypatch.setattr(cnn_module, "room_for_images", lambda: 60 * 32 * 32 * 3)


def test_terms_are_the_rows_of_a_mixing_matrix():
    X, A, _ = training_set()
    rows, shares = terms(A)
    assert (rows.shape, rows.dtype, shares.dtype) == ((N, 3), np.int32, np.float32)
    expected = mix(A, X)
    np.testing.assert_allclose((X[rows] * shares[:, :, None, None, None]).sum(axis=1), expected, atol=1e-3)
    np.testing.assert_allclose(mixed(kept(X), rows, shares, 127.5), expected / 127.5 - 1, atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"logit_adjustment": 1.0, "class_weight": "balanced"}], ids=str)
def test_kept_images_train_the_same_network_as_sent_ones(monkeypatch, settings):
    """To the bit, so that no result depends on how much room there is; on JAX but for rounding."""
    X, A, y = training_set()
    cnn = Cnn(alpha=0.25, weights="embedded", batch_size=4, epochs=2, **settings)
    trained = []
    for room in (0, X.nbytes):
        monkeypatch.setattr(cnn_module, "room_for_images", lambda room=room: room)
        trained.append(cnn.train(X, A, y, seed=3, checkpoint=NO_CHECKPOINT))
    sent, kept = trained
    if keras_backend.load_keras().backend.backend() == "jax":
        np.testing.assert_allclose(sent.curves.train["loss"], kept.curves.train["loss"], rtol=1e-2)
    else:
        assert all(map(np.array_equal, sent.weights, kept.weights)) and sent.curves == kept.curves


def test_kept_images_make_the_same_batches(room):
    X, A, y = training_set()
    batches = CNN.batches(X, A, y, seed=3)
    assert isinstance(batches, BatchesOfKeptImages) and np.array_equal(batches.images, X)
    sent = cnn_module.Batches(batches.data, batches.drawing, batches.targets)
    for _ in range(2):
        ours, theirs = list(batches), list(sent)
        assert [len(steps.targets[0]) for steps in ours] == [32, 1, 1, 1, 1, 1, 1]
        labels = [np.concatenate([steps.targets[0].ravel() for steps in epoch]) for epoch in (ours, theirs)]
        assert np.array_equal(*labels)
        rows, shares = (_joined(arrays) for arrays in zip(*(steps.inputs[:2] for steps in ours), strict=True))
        shown = np.concatenate([steps.inputs[0][0] for steps in theirs])
        np.testing.assert_allclose(mixed(kept(batches.images), rows, shares, 127.5), shown, atol=1e-6)


def _joined(arrays):
    return np.concatenate([array.reshape(-1, array.shape[-1]) for array in arrays])


@pytest.mark.parametrize(
    ("cnn", "widest", "dtype"),
    [
        (CNN.model_copy(update={"augment": Cnn(augment=["flip"]).augment}), 1, "uint8"),
        (CNN, 5, "uint8"),
        (CNN, 1, float),
    ],
    ids=["augmented", "means of five", "no bytes"],
)
def test_images_are_sent_that_a_network_cannot_mix(room, cnn, widest, dtype):
    X, A, y = training_set(widest)
    assert type(cnn.batches(X.astype(dtype), A, y, seed=3)) is Batches


def test_images_are_sent_that_have_no_room(monkeypatch):
    monkeypatch.setattr(cnn_module, "room_for_images", lambda: 60 * 32 * 32 * 3 - 1)
    assert type(CNN.batches(*training_set(), seed=3)) is Batches


def test_a_quarter_of_the_share_of_a_card_or_some_memory_is_for_images(monkeypatch):
    monkeypatch.setattr(keras_backend, "card_memory_mb", lambda ordinal: 1000)
    for gpus, expected in ((0.0, 2**7), (0.5, 0.9 * 0.5 * 1000 / 4), (1.0, 0.9 * 1000 / 4), (2.0, 0.9 * 1000 / 4)):
        monkeypatch.setattr(keras_backend, "_in_force", Runtime(gpus=gpus))
        assert keras_backend.room_for_images() == int(expected * 2**20)


def test_what_fails_while_batches_are_made_is_raised():
    def batches():
        yield Steps((np.zeros((1, 2, 32, 32, 3), dtype=np.float32),), (np.array([[0, 1]]),))
        raise MemoryError("no room for a batch")

    model = CNN.initialised(32, 5, seed=0)
    with pytest.raises(MemoryError, match="no room for a batch"):
        Trainer(model, 5).epoch(batches(), seed=0)
    assert int(model.optimizer.iterations) == 1


@pytest.mark.parametrize("settings", [{}, {"loss": "ldam"}], ids=str)
def test_mixed_precision_keeps_weights_and_scores_in_float32(settings):
    X, A, y = training_set()
    cnn = Cnn(alpha=0.25, weights="embedded", batch_size=16, epochs=2, precision="mixed_bfloat16", **settings)
    try:
        fitted = cnn.train(X, A, y, seed=3, checkpoint=NO_CHECKPOINT)
    except UsageError as error:
        pytest.skip(str(error))
    dtypes = [layer.compute_dtype for layer in fitted.model.layers]
    assert set(dtypes[1:-1]) == {"bfloat16"} and dtypes[-1] == "float32"
    assert {str(weight.dtype) for weight in fitted.weights} == {"float32"}
    assert keras_backend.load_keras().config.dtype_policy().name == "float32"
    losses = fitted.curves.train["loss"]
    scores = fitted.scores(X)
    assert losses[1] < losses[0] and scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


def test_a_precision_has_a_key_of_its_own():
    assert "precision" not in Cnn().as_dict()
    assert Cnn(precision="mixed_bfloat16").as_dict()["precision"] == "mixed_bfloat16"
