"""Inputs for the readers of data: images of every kind, in folders and archives, arrays, and STL-10's binary files."""

import io
import struct
import tarfile
import warnings
import zipfile
import zlib
from functools import cache
from typing import Any

import numpy as np
from drawing import NAMES, bent
from hypothesis import strategies as st
from judging import Case, Link
from PIL import Image

_INIT = ("init", "data", "made.yaml", "--cache", "cache")


def _saved(image: Image.Image, kind: str, **how: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **how)
    return content.getvalue()


def _noise(mode: str = "RGB", size: tuple[int, int] = (9, 7)) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def _png_of(width: int, height: int, depth: int, colour: int, rows: bytes = b"") -> bytes:
    """Return a PNG whose header says any size: a bomb, if the size is large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return _saved(_noise(), "JPEG", exif=exif)


_BROKEN_EXIF = b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0\xff\xff\xff\xff\x06"
SOUND = {
    "png": _saved(_noise(), "PNG"),
    "grey": _saved(_noise("L"), "PNG"),
    "palette": _saved(_noise("P"), "PNG", transparency=0),
    "alpha": _saved(_noise("RGBA"), "PNG"),
    "16": _saved(Image.fromarray(np.arange(63, dtype=np.uint16).reshape(7, 9) * 1000), "PNG"),
    "jpeg": _saved(_noise(), "JPEG"),
    "cmyk": _saved(_noise("CMYK"), "JPEG"),
    "progressive": _saved(_noise(), "JPEG", progressive=True),
    "turned": _turned(6),
    "gif": _saved(_noise("P"), "GIF", save_all=True, append_images=[_noise("P", (4, 4))] * 3, loop=0),
    "apng": _saved(_noise(), "PNG", save_all=True, append_images=[_noise()] * 2),
    "webp": _saved(_noise(), "WEBP", save_all=True, append_images=[_noise()]),
    "bmp": _saved(_noise(), "BMP"),
    "tiff": _saved(_noise(), "TIFF", compression="tiff_lzw"),
    "float": _saved(Image.fromarray(np.ones((5, 5), np.float32)), "TIFF"),
    "ppm": _saved(_noise(), "PPM"),
}
ODD = {
    "empty": b"",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n",
    "bomb": _png_of(60_000, 60_000, 8, 2),
    "large": _png_of(9_000, 9_000, 8, 6, bytes(9_000 * (4 * 9_000 + 1))),
    "no width": _png_of(0, 5, 8, 2),
    "wide": _png_of(2**31 - 1, 1, 1, 0),
    "gif bomb": b"GIF89a\xff\xff\xff\xff\x80\0\0" + SOUND["gif"][13:],
    "tiff bomb": SOUND["tiff"].replace(struct.pack("<H", 9) + b"\0\0", b"\xff\xff\xff\x7f", 1),
    "ppm bomb": b"P6 40000 40000 255\n",
    "ppm float": b"Pf 5 5 -1.0\n" + bytes(100),
    "exif": _saved(_noise(), "JPEG", exif=_BROKEN_EXIF),
    "exif 0": _turned(0),
    "text bomb": SOUND["png"][:33] + b"\0\0\0\x10zTXta\0\0" + bytes(12) + SOUND["png"][33:],
}

IMAGES = st.one_of(
    st.sampled_from(sorted(SOUND)).flatmap(lambda kind: bent(SOUND[kind])),
    st.sampled_from([*SOUND.values(), *(content for kind, content in ODD.items() if kind != "large")]),
    st.binary(max_size=60),
)
_PARTS = st.sampled_from(["", "train/", "test/", "val/", "top/", "./", "../", "/", "a/b/", "C:\\", "train\\"])
_FILES = st.sampled_from(["0.png", "1.jpg", "Thumbs.db", ".DS_Store", "x.svg", "y", "a" * 250 + ".png", "\udcff.png"])


@st.composite
def _tree(draw: st.DrawFn) -> dict[str, bytes]:
    """Draw files of a folder of images: two sound classes, and whatever else."""
    part = draw(st.sampled_from(["", "", "train/"]))
    files = {f"{part}{name}/{i}.png": SOUND["grey"] for name in ("cat", "dog") for i in range(2)}
    for _ in range(draw(st.integers(0, 3))):
        where = draw(_PARTS) + draw(st.sampled_from(["cat/", "dog/", ""]) | NAMES.map("{}/".format))
        files[where + draw(_FILES | NAMES)] = draw(IMAGES)
    return files


@st.composite
def folders(draw: st.DrawFn) -> Case:
    """Draw a folder of images; links and large images among them."""
    files: dict[str, bytes | Link] = {f"data/{name}": content for name, content in draw(_tree()).items()}
    for _ in range(draw(st.integers(0, 1))):
        to = draw(st.sampled_from(["../../../victim.txt", "/etc", "..", ".", "nowhere", "/dev/zero", "/proc/self/mem"]))
        files[f"data/{draw(st.sampled_from(['cat/link.png', 'link', 'dog/sub', 'owl']))}"] = Link(to)
    if draw(st.integers(0, 150)) == 77:
        files["data/cat/large.png"] = ODD["large"]
    return Case("folder", _INIT, files)


_ZIPPED = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x")  # which would change the name
    info.filename = name
    return info


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED, *, twice: bool = False) -> bytes:
    """Return a zip of these files, with names as they are."""
    content = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(content, "w") as archive:
        for name, of in [*files.items(), *(list(files.items())[:1] if twice else [])]:
            archive.writestr(_info(name.encode("utf-8", "replace").decode()), of, how)
    return content.getvalue()


@cache
def _bomb() -> bytes:
    return zipped({"cat/0.bmp": bytes(80_000_000), "cat/1.bmp": bytes(30_000_000), "dog/0.png": SOUND["grey"]})


@st.composite
def zips(draw: st.DrawFn) -> Case:
    """Draw a zip of images: with names that lead outside, doubled or encrypted members, bombs; bent, or not."""
    files = draw(_tree())
    if draw(st.integers(0, 9)) == 5:
        return Case("zip", ("init", "data/x.zip", *_INIT[2:]), {"data/x.zip": _bomb()})
    content = zipped(files, draw(_ZIPPED), twice=draw(st.booleans()))
    if draw(st.integers(0, 9)) == 5:
        content = content.replace(
            b"PK\x01\x02\x14\x00\x14\x00\x00\x00", b"PK\x01\x02\x14\x00\x14\x00\x01\x00"
        )  # encrypted
    content = draw(st.just(content) | bent(content))
    name = draw(st.sampled_from(["data.zip", "data.npz", "data"]))
    return Case("zip", ("init", f"data/{name}", *_INIT[2:]), {f"data/{name}": content})


@st.composite
def tars(draw: st.DrawFn) -> Case:
    """Draw a tar of images, of any compression, with links and devices; bent, or not."""
    content = io.BytesIO()
    mode = draw(st.sampled_from(["w", "w:gz", "w:xz", "w:bz2"]))
    with tarfile.open(fileobj=content, mode=mode) as archive:  # type: ignore[call-overload]
        for name, of in draw(_tree()).items():
            info = tarfile.TarInfo(name)
            info.size = len(of)
            info.type = draw(
                st.sampled_from([tarfile.REGTYPE] * 9 + [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
            )
            info.linkname = draw(st.sampled_from(["/etc/passwd", "../../victim.txt", name]))
            archive.addfile(info, io.BytesIO(of))
    bytes_ = draw(st.just(content.getvalue()) | bent(content.getvalue()))
    return Case("tar", ("init", "data/x.tar", *_INIT[2:]), {"data/x.tar": bytes_})


class _Bad:
    def __reduce__(self) -> tuple[Any, ...]:
        return open, ("../victim.txt", "w")


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


def _npy_of(header: str, content: bytes) -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


_X = np.arange(6 * 8 * 8, dtype=np.uint8).reshape(6, 8, 8)
_IMAGE_ARRAYS = st.sampled_from(
    [
        _X,
        np.stack([_X] * 3, 3),
        np.stack([_X] * 3, 1),
        _X / 255,
        _X.astype(np.uint16),
        _X.astype(np.int8),
        _X[:0],
        _X[:, :0],
        _X.astype(np.float16),
        _X.astype(complex),
        _X[0],
        np.array(_Bad()),
        _X.astype("S3"),
        _X[..., None],
        _X * np.nan,
        np.zeros(3, "M8[s]"),
        np.zeros((6, 1, 1, 3), np.uint8),
        _X.astype(">u2"),
        np.zeros((6, 70000, 1), np.uint8),
        _X > 3,
    ]
).map(_npy)
_LABEL_ARRAYS = st.sampled_from(
    [
        np.arange(6) % 2,
        np.arange(6)[:, None] % 3,
        np.eye(6),
        np.array(["a", "b"] * 3),
        np.array([b"\xff", b"b"] * 3),
        np.array([1.5, 2, 3, 4, 5, 6]),
        np.array([np.nan] * 6),
        np.array([None] * 6),
        np.array(7),
        np.arange(6) > 2,
        np.array([2**63] * 3 + [0] * 3, np.uint64),
        np.zeros(6),
        np.zeros((6, 0)),
        np.array([1j] * 6),
        np.array(_Bad()),
        np.array(["\x1b[31m", chr(55296)] * 3, dtype=object).astype(str),
        np.array(["x" * 3000, "y"] * 3),
        np.arange(5),
        np.array(["a\nb", ""] * 3),
        np.array([-1, 2**62] * 3),
        np.zeros(6, "V4"),
        np.zeros(6, [("a", int)]),
    ]
).map(_npy)
_SOUND_IMAGES = st.sampled_from([_X, np.stack([_X] * 3, 3), _X / 255, _X.astype(np.uint16), _X[..., None]]).map(_npy)
_SOUND_LABELS = st.sampled_from([np.arange(6) % 2, np.array(["a", "b"] * 3), np.eye(2)[np.arange(6) % 2]]).map(_npy)
_HEADERS = st.sampled_from(
    [
        "{'descr': '|u1', 'fortran_order': False, 'shape': (10000000000, 8, 8), }",
        "{'descr': '|u1', 'shape': (6, 8)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (6,), }",
        "__import__('os').system('true')",
        "(" * 5000,
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-6, 8, 8), }",
        "{'descr': 9, 'fortran_order': 0, 'shape': ()}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, " + "1, " * 70 + "), }",
        "{" * 900,
        "\x00",
        "9" * 5000,
        "{'descr': '<U400000000', 'fortran_order': False, 'shape': (6,), }",
        "{'descr': '|V0', 'fortran_order': False, 'shape': (6, 8, 8)}",
    ]
).map(lambda header: _npy_of(header, bytes(400)))


@cache
def _bomb_of_arrays() -> bytes:
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3000000, 32, 32), }"
    return zipped({"X.npy": _npy_of(header, bytes(400_000_000)), "y.npy": _npy(np.arange(6))})


@st.composite
def arrays(draw: st.DrawFn) -> Case:
    """Draw an .npz: arrays of every type and shape, pickles, headers that lie; bent, or not."""
    if draw(st.booleans()):
        sound = zipped({"X.npy": draw(_SOUND_IMAGES), "y.npy": draw(_SOUND_LABELS)})
        return Case("npz", ("init", "data/x.npz", *_INIT[2:]), {"data/x.npz": draw(st.just(sound) | bent(sound, 3))})
    names = draw(st.sampled_from([("X", "y"), ("x_train", "y_train"), ("images", "labels"), ("X", "X"), ("data", "x")]))
    of_images = draw(_IMAGE_ARRAYS | _HEADERS | _IMAGE_ARRAYS.flatmap(bent))
    of_labels = draw(_LABEL_ARRAYS | st.just(_npy(np.arange(6) % 2)) | _HEADERS)
    files = {f"{names[0]}.npy": of_images, f"{names[1]}.npy": of_labels}
    if draw(st.booleans()):
        files[f"{draw(st.sampled_from(['x_test', 'extra', '../y', 'val_images']) | NAMES)}.npy"] = draw(_IMAGE_ARRAYS)
    content = zipped(files, draw(_ZIPPED))
    if draw(st.integers(0, 60)) == 31:
        content = _bomb_of_arrays()
    return Case("npz", ("init", "data/x.npz", *_INIT[2:]), {"data/x.npz": draw(st.just(content) | bent(content))})


_STL10 = {
    "train_X.bin": bytes(27_648 * 4),
    "train_y.bin": bytes([1, 2, 1, 2]),
    "test_X.bin": bytes(27_648 * 2),
    "test_y.bin": bytes([1, 2]),
    "class_names.txt": b"cat\ndog\n",
}


@st.composite
def binaries(draw: st.DrawFn) -> Case:
    """Draw STL-10's binary files, some bent or missing, as a folder or a tar."""
    files = dict(_STL10)
    for name in draw(st.lists(st.sampled_from(sorted(files)), max_size=2)):
        files[name] = draw(bent(files[name]) | st.just(b"") | NAMES.map(lambda text: text.encode("utf-8", "replace")))
    if draw(st.booleans()):
        files.pop(draw(st.sampled_from(sorted(files))))
    if draw(st.booleans()):
        return Case("stl10", _INIT, {f"data/{name}": content for name, content in files.items()})
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, of in files.items():
            info = tarfile.TarInfo(f"stl10_binary/{name}")
            info.size = len(of)
            archive.addfile(info, io.BytesIO(of))
    return Case(
        "stl10",
        ("init", "data/x.tgz", *_INIT[2:]),
        {"data/x.tgz": draw(st.just(content.getvalue()) | bent(content.getvalue()))},
    )
