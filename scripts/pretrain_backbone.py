"""Train the backbone that raygrid ships: MobileNet alpha 0.25 at 32x32, on CIFAR-10.

    python scripts/pretrain_backbone.py raygrid/networks/weights/mobilenet_0.25_cifar10.weights.h5 [--path cifar10.zip]

About 20 minutes on one core. The recipe is fixed and seeded; run twice on one machine it gives the same file.
Only the training part is used; the test part is evaluated once at the end, to print what the backbone can do.
Without --path, CIFAR-10 comes from where Keras downloads and caches it.
"""

import argparse

import keras
import numpy as np

from raygrid.datasets import FromPath
from raygrid.datasets.cifar10 import Cifar10
from raygrid.networks.backbones import preprocess

SEED, EPOCHS, BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY, SHIFT = 2020, 40, 128, 4e-3, 5e-2, 4


class Augmented(keras.utils.PyDataset):
    """Batches of training images, each mirrored at random and shifted by up to `SHIFT` pixels."""

    def __init__(self, X: np.ndarray, y: np.ndarray, seed: int) -> None:
        super().__init__()
        self.X = np.pad(X, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="reflect")
        self.y, self.size, self.rng = y, X.shape[1], np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.y) // BATCH_SIZE

    def on_epoch_end(self) -> None:
        """Draw another order."""
        self.order = self.rng.permutation(len(self.y))

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        batch = self.order[i * BATCH_SIZE : (i + 1) * BATCH_SIZE]
        rows, columns = self.rng.integers(0, 2 * SHIFT + 1, size=(2, len(batch), 1)) + np.arange(self.size)
        mirror = self.rng.random(len(batch)) < 0.5
        columns[mirror] = columns[mirror, ::-1]
        images = self.X[batch[:, None, None], rows[:, :, None], columns[:, None, :]]
        return preprocess(images), self.y[batch]


def train(X: np.ndarray, y: np.ndarray) -> tuple[keras.Model, keras.Model]:
    """Return the trained backbone (no top) and the whole classifier around it."""
    keras.utils.set_random_seed(SEED)
    backbone = keras.applications.MobileNet(
        input_shape=X.shape[1:], alpha=0.25, include_top=False, weights=None, pooling="avg"
    )
    model = keras.Sequential([backbone, keras.layers.Dense(int(y.max()) + 1)])
    batches = Augmented(X, y, SEED)
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, EPOCHS * len(batches), warmup_target=LEARNING_RATE, warmup_steps=len(batches)
    )
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(batches, epochs=EPOCHS, verbose=2)
    return backbone, model


def main() -> None:
    """Load, train, save, evaluate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", help="where the weights go (.weights.h5)")
    parser.add_argument("--path", help="CIFAR-10 as an image folder, a zip of one, or an .npz")
    arguments = parser.parse_args()
    level = FromPath(name="cifar10", path=arguments.path) if arguments.path else Cifar10()
    images = level.load(image_size=32, interpolation="bilinear")
    backbone, model = train(images.X_train, images.y_train)
    backbone.save_weights(arguments.output)
    accuracy = model.evaluate(preprocess(images.X_test), images.y_test, verbose=0)[1]
    print(f"test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
