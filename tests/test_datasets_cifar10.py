"""CIFAR-10's archive: hand-written batches of the same instructions, never run."""

import io
import pickle
import re
import struct
import tarfile

import numpy as np
import pytest

from raygrid.datasets import DATASETS, cifar10
from raygrid.errors import DataError


def batch_pickle(X: np.ndarray, labels: list[int]) -> bytes:
    """Return a pickle of protocol 2 as Python 2 wrote the batches: labels in pieces, pixels as one byte string."""
    pixels = X.transpose(0, 3, 1, 2).tobytes()
    pieces = [labels[:2], labels[2:]]
    return b"".join(
        [
            b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15training batch 1 of 5q\x03U\x06labelsq\x04]q\x05",
            *(b"(" + b"".join(b"K" + bytes([label]) for label in piece) + b"e" for piece in pieces),
            b"U\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\x09",
            b"(K\x01" + b"K" + bytes([len(X)]) + b"M\x00\x0c\x86cnumpy\ndtype\nq\x0aU\x02u1K\x00K\x01\x87Rq\x0b",
            b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
            b"T" + struct.pack("<i", len(pixels)) + pixels + b"tb",
            b"U\x09filenamesq\x0c]q\x0d(U\x05a.pngU\x05b.pngeu.",
        ]
    )


X = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), np.uint8)
LABELS = [6, 9, 0, 1, 2, 3, 4, 5, 7, 8]
BATCH = batch_pickle(X, LABELS)


def archive(path, batches):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


SOUND = {f"data_batch_{i}": BATCH for i in range(1, 6)} | {"test_batch": BATCH}


def test_the_hand_written_batch_is_what_pickle_takes_for_one():
    read = pickle.loads(BATCH, encoding="bytes")
    assert read[b"labels"] == LABELS
    assert np.array_equal(read[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), X)


def test_a_batch_is_read_without_unpickling():
    images, labels = cifar10.read_batch("batch", BATCH)
    assert np.array_equal(images, X)
    assert (labels.tolist(), labels.dtype) == (LABELS, np.int64)


def test_the_archive_is_read_in_the_order_of_the_batches(tmp_path):
    other = batch_pickle(X[::-1], LABELS[::-1])
    batches = {"readme.html": b"x", "data_batch_2": other} | SOUND | {"data_batch_2": other}
    images = cifar10.read(archive(tmp_path / "toy.tar.gz", batches), 32, "nearest")
    assert images.y.tolist() == LABELS + LABELS[::-1] + LABELS * 4
    assert np.array_equal(images.X, np.concatenate([X, X[::-1], X, X, X, X]))
    assert {part: (index[0], len(index)) for part, index in images.parts.items()} == {
        "train": (0, 50),
        "test": (50, 10),
    }
    assert images.class_names[0] == "airplane"


def test_a_malicious_batch_is_not_run(tmp_path):
    marker = tmp_path / "marker"
    malicious = f"cos\nsystem\n(S'touch {marker}'\ntR.".encode()
    with pytest.raises(DataError) as refused:
        cifar10.read_batch("test_batch", malicious)
    assert str(refused.value) == ("test_batch: got 0 bytes of pixels and 0 labels; expected 3072 bytes a label")
    assert not marker.exists()
    pickle.loads(malicious)
    assert marker.exists()  # the batch would have run its code


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (batch_pickle(X[:9], LABELS), "got 27648 bytes of pixels and 10 labels; expected 3072 bytes a label"),
        (BATCH[:-1], "got no whole pickle (pickle exhausted before seeing STOP); expected a batch of CIFAR-10"),
        (b"", "got no whole pickle (pickle exhausted before seeing STOP); expected a batch of CIFAR-10"),
        (b"!", "got no whole pickle (at position 0, opcode b'!' unknown); expected a batch of CIFAR-10"),
    ],
)
def test_another_batch_is_refused(batch, message):
    with pytest.raises(DataError, match=f"^{re.escape(f'batch: {message}')}$"):
        cifar10.read_batch("batch", batch)


def test_an_archive_without_a_batch_is_refused(tmp_path):
    path = archive(tmp_path / "toy.tar.gz", {"test_batch": BATCH, "data_batch_1": BATCH, "data_batch_3": BATCH})
    with pytest.raises(DataError) as refused:
        cifar10.read(path, 32, "nearest")
    absent = ", ".join(f"cifar-10-batches-py/data_batch_{i}" for i in (2, 4, 5))
    assert str(refused.value) == f"{path}: got no {absent}; expected cifar-10-python.tar.gz"


@pytest.mark.parametrize("name", ["cifar-10-batches-py-target_archive", "cifar-10-batches-py.tar.gz"])
def test_an_archive_in_either_place_of_keras_is_checked_first(name, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    path = archive(tmp_path / "datasets" / name, SOUND)
    with pytest.raises(DataError, match=re.escape(f"cifar10: {path}: got sha256:")):
        DATASETS["cifar10"]().load(32, "nearest")
