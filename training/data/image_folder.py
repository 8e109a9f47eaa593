"""A folder with one subfolder of pictures a class → a data set in three parts.

A photo becomes a square as the service makes it: laid on white, upright, its centre, resized bilinearly
without smoothing first. What is hidden (`.DS_Store`, `._rose.jpg`, `.ipynb_checkpoints`) is left alone.
"""

import hashlib
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from training.data.mnist import DatasetError
from training.job import Split, Splits

SIDE = 160  # of the pictures a network gets; the service resizes what it is sent to this
FORMATS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
FEWEST = 10  # pictures of a class, so that each part of the data has some
SHARES = (0.8, 0.9)  # where the shuffled pictures of a class are cut: train, validation, test
LARGEST_BYTES = 4_000_000_000  # of all squares, which are held in memory
NAMED = 5  # files that one message names


class _Class(NamedTuple):
    name: str
    files: list[Path]


def read(folder: Path, seed: int, side: int = SIDE) -> tuple[Splits, tuple[str, ...]]:
    """Read pictures as uint8 [B, side, side, 3], and the classes' names in the order of their numbers.

    A tenth of each class validates and a tenth tests; the same seed gives the same parts.

    Raises:
        DatasetError: no such folder, fewer than two classes, too few pictures in one, too many for
            the memory, files that are no pictures, or one picture in two classes.
    """
    classes = _without_copies([_list_class(path) for path in _class_folders(folder)])
    for found in classes:
        _check_enough(found)
    count = sum(len(found.files) for found in classes)
    if count * side * side * 3 > LARGEST_BYTES:
        raise DatasetError(
            f"{folder} holds {count:,} pictures; at {side} × {side} only "
            f"{LARGEST_BYTES // (side * side * 3):,} fit into memory: take fewer, or smaller ones"
        )
    labels = np.repeat(np.arange(len(classes)), [len(found.files) for found in classes])
    everything = Split(_read_all(classes, side), labels.astype(np.int64))
    source = f"{count:,} pictures of {len(classes)} classes, folder {folder.resolve().name}"
    return _split(everything, seed, source), tuple(found.name for found in classes)


def read_photo(file: Path, side: int = SIDE) -> np.ndarray:
    """Return a picture's centre as uint8 [side, side, 3]; a file that is no picture is a DatasetError."""
    import tensorflow as tf

    try:
        with Image.open(file) as opened:
            # A JPEG is decoded at a half, a quarter or an eighth where that is enough, as the service does.
            opened.draft(None, (side, side))
            pixels = np.asarray(_plain(ImageOps.exif_transpose(opened)))
    except Exception as error:  # noqa: BLE001 - each of Pillow's readers raises its own on damaged bytes
        raise DatasetError(f"{file} is not a picture that can be read: {error}") from None
    shorter = min(pixels.shape[:2])
    top, left = ((length - shorter + 1) // 2 for length in pixels.shape[:2])
    square = pixels[top : top + shorter, left : left + shorter]
    return np.rint(tf.image.resize(square, (side, side)).numpy()).astype(np.uint8)


def _class_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}; give one with a subfolder a class")
    paths = sorted(path for path in _visible(folder) if path.is_dir())
    if len(paths) < 2:
        names = ", ".join(path.name for path in paths) or "none"
        raise DatasetError(
            f"{folder} must have a subfolder for each class, at least two; it has {names}"
        )
    return paths


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith((".", "__"))]


def _list_class(folder: Path) -> _Class:
    """List the pictures of one class, and say what else lies there."""
    files, others, inner = [], Counter[str](), []
    for path in sorted(_visible(folder)):
        if path.is_dir():
            inner.append(path.name)
        elif path.suffix.lower() in FORMATS:
            files.append(path)
        else:
            others[path.suffix.lower() or "no ending"] += 1
    if inner and not files:
        raise DatasetError(
            f"{folder} holds no picture but the folders {', '.join(inner[:NAMED])}: if these are the "
            f"classes, give {folder}; the data are split into training and test here"
        )
    if others:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(others.items()))
        print(f"{folder.name}: left out, being none of {_formats()}: {kinds}", file=sys.stderr)
    return _Class(unicodedata.normalize("NFC", folder.name), files)


def _check_enough(found: _Class) -> None:
    if len(found.files) < FEWEST:
        raise DatasetError(
            f"class {found.name} has {len(found.files)} different pictures ({_formats()}); "
            f"a class needs at least {FEWEST}"
        )


def _formats() -> str:
    return ", ".join(FORMATS)


def _without_copies(classes: list[_Class]) -> list[_Class]:
    """Leave out files that are there twice, lest the test be of pictures that were learned."""
    first: dict[bytes, tuple[str, Path]] = {}
    kept = []
    for name, files in classes:
        different = []
        for file in files:
            digest = hashlib.sha256(file.read_bytes()).digest()
            other, path = first.setdefault(digest, (name, file))
            if other != name:
                raise DatasetError(
                    f"{path} and {file} are the same picture in two classes; remove one of them"
                )
            if path == file:
                different.append(file)
        if len(different) < len(files):
            copies = len(files) - len(different)
            print(f"{name}: {copies} copies of other pictures left out", file=sys.stderr)
        kept.append(_Class(name, different))
    return kept


def _read_all(classes: list[_Class], side: int) -> np.ndarray:
    """Every picture of every class, one after the other; all that cannot be read are named at once."""
    images = np.empty((sum(len(found.files) for found in classes), side, side, 3), np.uint8)
    number, unreadable = 0, []
    for name, files in classes:
        print(f"reading {name}: {len(files):,} pictures", file=sys.stderr, flush=True)
        for file in files:
            try:
                images[number] = read_photo(file, side)
            except DatasetError as error:
                unreadable.append(str(error))
            number += 1
    if unreadable:
        more = len(unreadable) - NAMED
        raise DatasetError(
            "; ".join(unreadable[:NAMED])
            + (f"; and {more} more" if more > 0 else "")
            + ". Remove or mend what cannot be read"
        )
    return images


def _plain(image: Image.Image) -> Image.Image:
    """Bring any mode to RGB: 16 bits to 8, transparent parts laid on white."""
    if image.mode.startswith("I"):
        grey = (np.clip(np.asarray(image).astype(np.int64), 0, 65535) + 128) // 257
        image = Image.fromarray(grey.astype(np.uint8))
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _split(everything: Split, seed: int, source: str) -> Splits:
    """Cut each class by itself, so that every part has the classes in the same shares."""
    random = np.random.default_rng(seed)
    parts: list[list[np.ndarray]] = [[], [], []]
    for label in np.unique(everything.labels):
        order = random.permutation(np.flatnonzero(everything.labels == label))
        cuts = [round(share * len(order)) for share in SHARES]
        for part, chosen in zip(parts, np.split(order, cuts), strict=True):
            part.append(chosen)
    train, validation, test = (
        Split(everything.images[chosen], everything.labels[chosen])
        for chosen in (random.permutation(np.concatenate(part)) for part in parts)
    )
    return Splits(train, validation, test, source)
