import io

import numpy as np
import pytest
from PIL import Image

from vitrine_client.errors import UnreadableImage
from vitrine_client.image_files import encode_images


def decoded(file):
    return np.asarray(Image.open(io.BytesIO(file)))


def test_bytes_pass_unchanged():
    assert encode_images(b"anything") == [b"anything"]
    assert encode_images(memoryview(b"anything")) == [b"anything"]


def test_a_path_gives_the_files_bytes(tmp_path):
    file = tmp_path / "digit.png"
    file.write_bytes(b"anything")

    assert encode_images(file) == [b"anything"]
    assert encode_images([str(file), file]) == [b"anything", b"anything"]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_a_pillow_image_of_any_mode_becomes_a_png(mode):
    (file,) = encode_images(Image.new(mode, (5, 4)))

    assert file.startswith(b"\x89PNG")
    assert decoded(file).shape[:2] == (4, 5)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
def test_an_array_becomes_a_png_with_the_same_pixels(dtype):
    pixels = np.arange(12).reshape(3, 4) * 20

    (file,) = encode_images(pixels.astype(dtype))

    np.testing.assert_array_equal(decoded(file), pixels)


def test_a_mask_is_black_and_white():
    (file,) = encode_images(np.array([[True, False]]))

    assert decoded(file).tolist() == [[255, 0]]


@pytest.mark.parametrize(
    ("shape", "images"),
    [((28, 28), 1), ((28, 28, 1), 1), ((28, 28, 3), 1), ((5, 28, 28), 5), ((5, 28, 28, 1), 5)],
    ids=str,
)
def test_the_shape_says_how_many_images_an_array_holds(shape, images):
    files = encode_images(np.zeros(shape, "uint8"))

    assert len(files) == images
    assert all(decoded(file).shape[:2] == (28, 28) for file in files)


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.full((2, 2), 0.5), "got at most 0.5: multiply by 255"),
        (np.full((2, 2), 256), "got 256 to 256"),
        (np.full((2, 2), -1), "got -1 to -1"),
        (np.full((2, 2), np.nan), "got nan to nan"),
        (np.array([["a"]]), "pixels must be numbers"),
        (np.zeros(784, "uint8"), r"got \[784\]"),
        (np.zeros((0, 28), "uint8"), r"got \[0, 28\]"),
    ],
    ids=["fractions", "above", "below", "nan", "text", "flat", "empty"],
)
def test_an_array_that_is_no_image_is_refused_with_the_reason(array, complaint):
    with pytest.raises(UnreadableImage, match=complaint):
        encode_images(array)


def test_what_is_no_image_is_refused_with_what_is_one():
    with pytest.raises(UnreadableImage, match=r"a NumPy array, got int"):
        encode_images([7])


def test_no_image_at_all_is_refused():
    with pytest.raises(UnreadableImage, match="at least one image must be given"):
        encode_images([])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UnreadableImage, match=r"nowhere\.png cannot be read: No such file"):
        encode_images(tmp_path / "nowhere.png")
