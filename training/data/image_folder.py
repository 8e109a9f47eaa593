"""A folder with one subfolder of images per class → a data set in three splits.

Images become squares as in the service: composited on white, rotated upright, cropped to the centre, resized
bilinearly without antialiasing. Nested subfolders belong to their class, as in Keras'
`image_dataset_from_directory`. Hidden files (`.DS_Store`, `._rose.jpg`) are ignored.
"""

import hashlib
import io
import os
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from service.image_files.image_metadata import strip_metadata
from service.image_files.raster import rasterize
from training.data.mnist import DatasetError
from training.job import Split, Splits

SIDE = 160  # size of the network's images; the service resizes requests to it
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
ENDINGS = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp", ".bmp", ".dib", ".gif", ".webp",
)  # fmt: skip
SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"}
FEWEST = 10  # minimum images per class, so that each split has some
SHARES = (0.8, 0.9)  # shares of the splits of each class: train, validation, test
LARGEST_BYTES = 4_000_000_000  # maximum size of all images in memory
NAMED = 20  # maximum problems listed in a message


class _Class(NamedTuple):
    name: str
    files: list[Path]


def read(folder: Path, seed: int, side: int = SIDE) -> Splits:
    """Read images as uint8 [B, side, side, 3], with the classes' names in the order of their numbers.

    A tenth of each class is for validation and a tenth for testing; the same seed gives the same splits.

    Raises:
        DatasetError: no such folder, fewer than two classes, too many images for the memory; or too
            few in a class, files that cannot be read, one image in two classes: all of these that
            there are, in one message.
    """
    problems: list[str] = []
    listed = [_list_class(path, problems) for path in _class_folders(folder)]
    classes = _without_copies(listed, problems)
    count = sum(len(found.files) for found in classes)
    if count * side * side * 3 > LARGEST_BYTES:
        raise DatasetError(
            f"{folder} must hold at most {LARGEST_BYTES // (side * side * 3):,} images of {side} × {side}, "
            f"which fit into memory, got {count:,}"
        )
    labels = np.repeat(np.arange(len(classes)), [len(found.files) for found in classes])
    everything = Split(_read_all(classes, side, problems), labels.astype(np.int64))
    problems += [_too_few(found) for found in classes if len(found.files) < FEWEST]
    if problems:
        more = len(problems) - NAMED
        raise DatasetError(
            "; ".join(problems[:NAMED]) + (f"; and {more} more problems" if more > 0 else "")
        )
    source = f"{count:,} images of {len(classes)} classes, folder {folder.resolve().name}"
    names = tuple(found.name for found in classes)
    train, validation, test = _split(everything, seed)
    return Splits(train, validation, test, source, names)


def read_photo(file: Path, side: int = SIDE) -> np.ndarray:
    """Read an image's centre as uint8 [side, side, 3].

    Raises:
        DatasetError: the file is not an image, or is damaged.
    """
    import tensorflow as tf

    try:
        content, orientation = strip_metadata(file.read_bytes())
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            # A JPEG is decoded at 1/2, 1/4 or 1/8 if that is enough, as in the service.
            opened.draft(None, (side, side))
            pixels = rasterize(opened, orientation)
    except Exception as error:  # noqa: BLE001 - each of Pillow's readers raises its own on damaged bytes
        # Pillow's message names the buffer, which is useless.
        reason = "no image format" if "BytesIO" in str(error) else error
        raise DatasetError(f"{file} must be a readable image, got {reason}") from None
    shorter = min(pixels.shape[:2])
    top, left = ((length - shorter + 1) // 2 for length in pixels.shape[:2])
    square = pixels[top : top + shorter, left : left + shorter]
    if square.shape[2] == 1:
        square = np.repeat(square, 3, axis=2)
    return np.rint(tf.image.resize(square, (side, side)).numpy()).astype(np.uint8)


def _class_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DatasetError(
            f"--data-dir must be a folder with a subfolder per class, got {folder}, which does not exist"
        )
    visible = [path for path in folder.iterdir() if not _is_hidden(path.name)]
    paths = sorted(path for path in visible if path.is_dir())
    if len(paths) < 2:
        names = ", ".join(path.name for path in paths) or "none"
        raise DatasetError(
            f"{folder} must have a subfolder for each class, at least two, got {names}"
        )
    if {path.name.lower() for path in paths} <= SPLITS:
        raise DatasetError(
            f"{folder} must have a subfolder for each class, got "
            f"{' and '.join(path.name for path in paths)}: give {paths[-1]}; the data are split here"
        )
    loose = sum(path.suffix.lower() in ENDINGS for path in visible if path.is_file())
    if loose:
        _warn(f"{folder.name}: {loose} images outside the class folders are ignored")
    return paths


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__"))


def _warn(line: str) -> None:
    print(line, file=sys.stderr)


def _list_class(folder: Path, problems: list[str]) -> _Class:
    """List the images of one class, including subfolders, and report other files."""
    files, others = [], Counter[str]()
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(names):
            path = Path(parent, name)
            if (placeholder := _placeholder(path)) is not None:
                problems.append(placeholder)
            elif _is_hidden(name):
                continue
            elif path.suffix.lower() in ENDINGS:
                files.append(path)
            else:
                others[path.suffix.lower() or "no ending"] += 1
    if others:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(others.items()))
        _warn(f"{folder.name}: ignored files that are not {', '.join(ENDINGS)}: {kinds}")
    return _Class(unicodedata.normalize("NFC", folder.name), files)


def _placeholder(path: Path) -> str | None:
    """Describe the problem of a file that only stands for an image (such as a Git LFS pointer)."""
    if path.name.startswith(".") and path.suffix == ".icloud":
        return f"{path} is not downloaded from iCloud: download it, or remove it"
    if _is_hidden(path.name) or path.suffix.lower() not in ENDINGS:
        return None
    if not path.is_file():
        return f"{path} must be a file, got {'a broken link' if path.is_symlink() else 'a device'}: remove it"
    try:
        with path.open("rb") as file:
            start = file.read(40)
    except OSError as error:
        return f"{path} must be readable, got: {error.strerror}"
    if not start:
        return f"{path} is empty: remove it, or download it again"
    if start.startswith(b"version https://git-lfs"):
        return f"{path} is a pointer of Git LFS: run git lfs pull"
    return None


def _too_few(found: _Class) -> str:
    return (
        f"class {found.name} has {len(found.files)} different images ({', '.join(ENDINGS)}); "
        f"a class needs at least {FEWEST}"
    )


def _without_copies(classes: list[_Class], problems: list[str]) -> list[_Class]:
    """Remove duplicate files, so that no test image is in the training split."""
    first: dict[bytes, tuple[str, Path]] = {}
    kept = []
    for name, files in classes:
        different, copies = [], 0
        for file in files:
            digest = hashlib.sha256(file.read_bytes()).digest()
            other, path = first.setdefault(digest, (name, file))
            if other != name:
                problems.append(
                    f"{path} and {file} are the same image in two classes: remove one of them"
                )
            elif path == file:
                different.append(file)
            else:
                copies += 1
        if copies:
            _warn(f"{name}: {copies} duplicate images ignored")
        kept.append(_Class(name, different))
    return kept


def _read_all(classes: list[_Class], side: int, problems: list[str]) -> np.ndarray:
    """Read all images of all classes; unreadable files are added to the problems."""
    images = np.empty((sum(len(found.files) for found in classes), side, side, 3), np.uint8)
    number = 0
    for name, files in classes:
        print(f"reading {name}: {len(files):,} images", file=sys.stderr, flush=True)
        for file in files:
            try:
                images[number] = read_photo(file, side)
            except DatasetError as error:
                problems.append(str(error))
            number += 1
    return images


def _split(everything: Split, seed: int) -> list[Split]:
    """Split each class separately, so that every split has the same shares of the classes."""
    random = np.random.default_rng(seed)
    parts: list[list[np.ndarray]] = [[], [], []]
    for label in np.unique(everything.labels):
        order = random.permutation(np.flatnonzero(everything.labels == label))
        cuts = [round(share * len(order)) for share in SHARES]
        for part, chosen in zip(parts, np.split(order, cuts), strict=True):
            part.append(chosen)
    shuffled = (random.permutation(np.concatenate(part)) for part in parts)
    return [Split(everything.images[one], everything.labels[one]) for one in shuffled]
