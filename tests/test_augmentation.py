"""Augmentations by hand, and what batches become of them."""

import numpy as np
import pytest
from in_memory import train_samples
from scipy.sparse import eye_array

from raygrid.classifiers.cnn import Cnn
from raygrid.classifiers.training.augmentation import AUGMENTATIONS, Batch
from raygrid.classifiers.training.augmentation.mixing import Mixup, Remix
from raygrid.classifiers.training.augmentation.moving import Crop, Flip
from raygrid.classifiers.training.pairs import paired, paired_targets

rng = np.random.default_rng
IMAGES = rng(0).integers(1, 256, (6, 4, 5, 3)).astype(np.float32)
Y = np.array([0, 0, 0, 1, 1, 2])


class Drawn:
    """A generator that draws what it is told."""

    def __init__(self, share: float, partner: list[int]) -> None:
        self.beta, self.permutation = lambda a, b: share, lambda n: np.array(partner)


def batch(sizes=(30, 20, 10)):
    return Batch.of(IMAGES, Y, np.array(sizes))


def test_every_registered_name_is_its_levels_own():
    assert [level.model_fields["name"].default for level in AUGMENTATIONS.values()] == list(AUGMENTATIONS)


def test_a_flip_exchanges_left_and_right_of_some_images():
    flipped = Flip().applied(batch(), rng(1))
    chosen = rng(1).random(6) < 0.5
    assert 0 < chosen.sum() < 6
    for image, before, is_flipped in zip(flipped.images, IMAGES, chosen, strict=True):
        assert np.array_equal(image, before[:, ::-1] if is_flipped else before)
    assert (flipped.y.tolist(), flipped.share.tolist()) == (Y.tolist(), [1] * 6)


def test_a_crop_is_a_place_of_the_padded_image():
    cropped = Crop(padding=2).applied(batch(), rng(1))
    down, right = rng(1).integers(0, 5, (2, 6))
    for image, before, row, column in zip(cropped.images, IMAGES, down, right, strict=True):
        padded = np.zeros((8, 9, 3), dtype=np.float32)
        padded[2:6, 2:7] = before
        assert np.array_equal(image, padded[row : row + 4, column : column + 5])
    places = {tuple(rng(seed).integers(0, 5, (2, 6))[:, 0]) for seed in range(300)}
    assert len(places) == 25  # each of (2 * 2 + 1)^2 is drawn


def test_mixup_mixes_images_and_labels_alike():
    mixed = Mixup().applied(batch(), Drawn(0.75, [5, 4, 3, 2, 1, 0]))
    np.testing.assert_allclose(mixed.images[1], 0.75 * IMAGES[1] + 0.25 * IMAGES[4], rtol=1e-6)
    assert (mixed.partner.tolist(), mixed.share.tolist()) == ([5, 4, 3, 2, 1, 0], [0.75] * 6)


def test_the_share_is_from_a_beta_distribution():
    shares = [Mixup(alpha=0.5).applied(batch(), rng(seed)).share[0] for seed in range(2000)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)
    assert np.var(shares) == pytest.approx(1 / 8, abs=0.01)  # 1 / (4 (2 alpha + 1))


def test_remix_gives_the_label_to_a_class_that_is_kappa_times_smaller():
    # Classes of 30, 20 and 10; partners of classes 2, 1, 0, 0, 2, 0.
    partner = [5, 3, 1, 2, 5, 0]
    low = Remix(kappa=3, tau=0.5).applied(batch(), Drawn(0.25, partner)).share
    assert low.tolist() == [0, 0.25, 0.25, 0.25, 0.25, 0.25]  # 3 times larger, and less than tau of the image
    high = Remix(kappa=3, tau=0.5).applied(batch(), Drawn(0.75, partner)).share
    assert high.tolist() == [0.75, 0.75, 0.75, 0.75, 0.75, 1]  # of the image of the small class there is more than tau
    closer = Remix(kappa=1.5, tau=1.0).applied(batch(), Drawn(0.25, partner)).share
    assert closer.tolist() == [0, 0, 0.25, 1, 0, 1]


def test_the_loss_of_a_pair_is_the_sum_of_its_two_with_their_shares():
    p = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]], dtype=np.float32)
    rows, shares = np.array([0, 3]), np.array([0.75, 0.25])
    pair = Batch(IMAGES[:2], Y[rows], np.array([3, 2, 1]), np.array([1, 0]), shares)
    for settings in ({}, {"class_weight": "balanced"}, {"focal_gamma": 2.0, "class_weight": "balanced"}):
        cnn = Cnn(**settings)
        targets = cnn.targets(Y)
        compared, weights = paired_targets(targets(rows), targets(rows[pair.partner]), pair)
        losses = np.asarray(paired(cnn.compiled_loss())(compared, p))
        of_class = np.ones(3) if not settings.get("class_weight") else 6 / (3 * np.array([3, 2, 1]))
        focal = (1 - p) ** settings.get("focal_gamma", 0) * -np.log(p)
        expected = [
            0.75 * of_class[0] * focal[0, 0] + 0.25 * of_class[1] * focal[0, 1],
            0.25 * of_class[1] * focal[1, 1] + 0.75 * of_class[0] * focal[1, 0],
        ]
        assert losses.shape == (2, 2)
        assert (losses * weights).mean() == pytest.approx(np.mean(expected), rel=1e-5)
        labels = np.asarray(cnn.labels_of(compared[:, 0]))
        assert labels.tolist() == [0, 0]  # of the larger share


def test_what_is_drawn_depends_on_the_seed_the_epoch_and_the_batch_alone():
    X = train_samples(rng(0).integers(0, 256, (40, 32, 32, 3)).astype(np.uint8))
    cnn, y = Cnn(augment=["flip", "crop", "mixup"], batch_size=16), np.arange(40) % 4
    first, again = (cnn.batches(X, eye_array(40, format="csr"), y, seed=3) for _ in range(2))
    later = cnn.batches(X, eye_array(40, format="csr"), y, seed=3, epochs_done=1)
    epoch, same_epoch, next_epoch, resumed = (_read(batches) for batches in (first, again, first, later))
    for one, other in ((epoch, same_epoch), (next_epoch, resumed)):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(next_epoch[0], epoch[0])
    images, compared, weights = epoch
    assert (images.shape, compared.shape, weights.shape) == ((40, 32, 32, 3), (40, 2), (40, 2))
    np.testing.assert_allclose(weights.sum(axis=1), 2)


def _read(batches):
    read = [(*steps.inputs, *steps.targets) for steps in batches]
    return [np.concatenate(parts, axis=1)[0] for parts in zip(*read, strict=True)]


def test_without_augmentation_batches_are_as_they_were(images_are_sent):
    X = train_samples(rng(0).integers(0, 256, (8, 32, 32, 3)).astype(np.uint8))
    images, labels = _read(Cnn().batches(X, eye_array(8, format="csr"), np.arange(8) % 2, seed=3))
    order = rng(3).permutation(8)
    assert labels.tolist() == (order % 2).tolist()
    assert np.array_equal(images, X[order] / np.float32(127.5) - 1)
