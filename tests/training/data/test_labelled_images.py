"""Labelled images: Fashion-MNIST's files, or a folder with one subfolder a class."""

import gzip

import numpy as np
import pytest
from PIL import Image

from training.data import labelled_images
from training.data.mnist import IDX_FILES, DatasetError
from training.jobs.fashion_dense import Config

pytestmark = pytest.mark.tensorflow


def write_class(folder, name, count, colour, size=(40, 30)):
    (folder / name).mkdir(parents=True)
    for number in range(count):
        image = Image.new("RGB", size, colour)
        image.putpixel((number, 0), (number, 1, 2))  # copies are left out
        image.save(folder / name / f"{number}.png")


def write_idx(folder, name, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    (folder / f"{name}.gz").write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


def test_the_configuration_follows_the_images(tmp_path):
    write_class(tmp_path, "a", 10, "red")
    write_class(tmp_path, "b", 10, "blue")

    config = labelled_images.load(Config(), tmp_path).complete_config(Config())

    assert (config.height, config.width, config.channels, config.classes) == (160, 160, 3, 2)


def test_idx_files_are_fashion_mnist(tmp_path):
    for part, count in (("train", 60), ("test", 10)):
        write_idx(tmp_path, IDX_FILES[f"{part}_images"], np.zeros((count, 28, 28)))
        write_idx(tmp_path, IDX_FILES[f"{part}_labels"], np.arange(count) % 10)

    data = labelled_images.load(Config(), tmp_path)

    assert data.labels[9] == "Ankle boot"
    assert data.train.images.shape == (50, 28, 28, 1)
    assert len(data.test.labels) == 10


def test_a_folder_without_either_says_what_it_should_have(tmp_path):
    with pytest.raises(DatasetError, match="must have a subfolder for each class"):
        labelled_images.load(Config(), tmp_path)
