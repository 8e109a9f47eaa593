"""Letters, scribbles, noise, pairs and blanks."""

import io

import numpy as np
from PIL import Image

from clients.robustness import out_of_distribution
from clients.robustness.drawings import CANVAS


def pixels(file):
    return np.asarray(Image.open(io.BytesIO(file)))


def test_without_matplotlib_there_is_one_font(monkeypatch):
    monkeypatch.setattr(out_of_distribution.importlib.util, "find_spec", lambda _: None)
    assert out_of_distribution.fonts() == [out_of_distribution.PILLOW_FONT]
    assert len(out_of_distribution.letters()) == 52


def test_letters_that_look_like_digits_can_be_left_out():
    every = {letter.character for letter in out_of_distribution.letters()}
    unlike = {letter.character for letter in out_of_distribution.letters(without_lookalikes=True)}
    assert every - unlike == out_of_distribution.LOOK_LIKE_DIGITS
    assert len(unlike) == 36


def test_every_font_draws_every_letter_whole_and_differently(rng):
    for font in out_of_distribution.fonts():
        some = [out_of_distribution.Letter(character, font) for character in "AWgm"]
        drawn = [pixels(file) for file in out_of_distribution.draw_letters(some, rng)]
        for image in drawn:
            assert image.shape == (CANVAS, CANVAS)
            assert image.min() == 0
            assert 0.005 < (image < 128).mean() < 0.4
        assert len({image.tobytes() for image in drawn}) == 4


def test_a_scribble_is_one_dark_stroke_on_white(rng):
    from scipy import ndimage

    for file in out_of_distribution.draw_scribbles(range(5), rng):
        image = pixels(file)
        assert set(np.unique(image)) == {0, 255}
        assert ndimage.label(image == 0, np.ones((3, 3)))[1] == 1


def test_two_digits_lie_side_by_side(digits, rng):
    pairs = np.stack([digits[:2], digits[1:3]], axis=1)
    for file in out_of_distribution.draw_two_digits(pairs, rng):
        image = pixels(file)
        assert image[:, CANVAS // 2].min() == 255
        assert image[:, : CANVAS // 2].min() == image[:, CANVAS // 2 :].min() == 0


def test_noise_is_of_any_grey_and_blanks_of_one(rng):
    (noise,) = out_of_distribution.draw_noise(range(1), rng)
    assert noise.shape == (28, 28)
    assert noise.std() > 60
    for file, (side, level) in zip(
        out_of_distribution.draw_blanks(out_of_distribution.blanks(), rng),
        out_of_distribution.blanks(),
        strict=True,
    ):
        assert np.array_equal(pixels(file), np.full((side, side), level))
