"""A drawing → the form of MNIST: the contract, what is refused, and what is one digit."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw

from service.codecs.image import open_image
from service.errors import InvalidImage
from service.preprocessing.digit import PreparedImage, fit, fit_digit, normalize_digit

INKS = {
    "0": [("oval", 30, 20, 70, 80)],
    "1": [[(50, 20), (50, 80)]],
    "2": [[(32, 30), (50, 20), (68, 32), (32, 80), (70, 80)]],
    "3": [[(32, 20), (68, 20), (48, 45), (68, 62), (50, 80), (30, 75)]],
    "7": [[(30, 20), (70, 20), (45, 80)]],
    "9": [("oval", 35, 20, 65, 50), [(65, 35), (60, 80)]],
}
STROKES = {
    "5 whose bar is off above": [
        [(40, 35), (38, 48), (60, 50), (62, 68), (38, 75)],
        [(42, 20), (65, 18)],
    ],
    "5 whose bar is off to the right": [
        [(40, 22), (38, 45), (60, 50), (62, 68), (38, 75)],
        [(52, 21), (70, 20)],
    ],
    "4 in two strokes": [[(35, 20), (30, 55), (70, 55)], [(60, 35), (58, 85)]],
    "4 whose strokes do not meet": [[(35, 20), (30, 55), (56, 55)], [(66, 25), (64, 85)]],
    "8 of two circles": [("oval", 38, 18, 62, 44), ("oval", 35, 50, 65, 82)],
    "7 with a broken leg": [[(30, 20), (70, 20), (60, 45)], [(57, 51), (45, 80)]],
    "dotted 1": [[(50, y), (50, y + 3)] for y in range(20, 80, 8)],
    "dotted 0": [
        ("oval", x - 2, y - 2, x + 2, y + 2)
        for turn in np.linspace(0, 2 * np.pi, 16, endpoint=False)
        for x, y in [(50 + 20 * np.cos(turn), 50 + 30 * np.sin(turn))]
    ],
}
SEVERAL = {
    "10": (2, [[(25, 20), (25, 80)], ("oval", 42, 20, 78, 80)]),
    "10 closely": (2, [[(30, 20), (30, 80)], ("oval", 38, 20, 70, 80)]),
    "11 aslant": (2, [[(55, 20), (25, 80)], [(75, 20), (45, 80)]]),
    "42": (2, [[(20, 20), (15, 50), (40, 50)], [(33, 35), (33, 80)],
               [(55, 30), (70, 20), (85, 32), (55, 80), (88, 80)]]),
    "7 7": (2, [[(10, 20), (35, 20), (20, 80)], [(60, 20), (90, 20), (70, 80)]]),
    "77 closely": (2, [[(15, 20), (45, 20), (25, 80)], [(52, 20), (85, 20), (58, 80)]]),
    "7 above 7": (2, [[(40, 8), (60, 8), (45, 42)], [(40, 58), (60, 58), (45, 92)]]),
    "120": (3, [[(15, 20), (15, 80)], [(30, 25), (50, 25), (30, 80), (52, 80)],
                ("oval", 65, 20, 90, 80)]),
}  # fmt: skip


def draw(strokes, side=280, pen=6.0):
    """Draw dark on white: lines and ovals on a 100 × 100 grid → uint8 [side, side, 1]."""
    scale = side / 100
    width = max(1, round(pen * scale))
    image = Image.new("L", (side, side), "white")
    pencil = ImageDraw.Draw(image)
    for stroke in strokes:
        if stroke[0] == "oval":
            pencil.ellipse([value * scale for value in stroke[1:]], outline="black", width=width)
        else:
            points = [(x * scale, y * scale) for x, y in stroke]
            pencil.line(points, fill="black", width=width, joint="curve")
    return np.asarray(image)[..., np.newaxis]


def photographed(pixels, noise=6.0, contrast=0.7, seed=0):
    """Lay a drawing on paper: light from one side, a soft shadow across, noise, JPEG."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    light = 210 - 80 * x + 15 * y - 40 / (1 + np.exp(-25 * (x + y - 1.1)))
    paper = light * (1 - contrast * (1 - pixels[..., 0] / 255))
    paper = paper + np.random.default_rng(seed).normal(0, noise, paper.shape)
    content = io.BytesIO()
    Image.fromarray(np.clip(paper, 0, 255).astype(np.uint8)).save(content, "JPEG", quality=80)
    return open_image(content.getvalue()).decode()


def likeness(one, other):
    """The best correlation of two images, one of them moved by at most a pixel."""
    moved = [np.roll(other, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return max(float(np.corrcoef(one.ravel(), image.ravel())[0, 1]) for image in moved)


def normalized(pixels):
    return normalize_digit(pixels, normalize=True)


def centre_of_mass(image):
    masses = image[..., 0].astype(float)
    return [masses.sum(axis=axis) @ np.arange(28) / masses.sum() for axis in (1, 0)]


def longest_side(image):
    rows, columns = np.nonzero(image[..., 0])
    return max(np.ptp(rows), np.ptp(columns)) + 1


def assert_is_in_the_form_of_mnist(canvas):
    assert isinstance(canvas, PreparedImage)
    assert canvas.image.shape == (28, 28, 1)
    assert canvas.image.dtype == np.uint8
    assert canvas.image.max() == 255
    assert longest_side(canvas.image) == 20
    assert all(13.5 <= centre <= 14.5 for centre in centre_of_mass(canvas.image))
    assert canvas.steps[-2:] == ["cropped", "centred"]


@pytest.mark.parametrize("side", [28, 100, 280, 401, 1500])
@pytest.mark.parametrize("digit", INKS)
def test_a_drawn_digit_comes_out_in_the_form_of_mnist(digit, side):
    canvas = normalized(draw(INKS[digit], side))
    assert_is_in_the_form_of_mnist(canvas)
    assert canvas.steps[0] == "inverted"


@pytest.mark.parametrize("strokes", STROKES)
@pytest.mark.parametrize("pen", [3.5, 7], ids=["thin", "thick"])
def test_a_digit_of_several_strokes_is_one_digit(strokes, pen):
    assert_is_in_the_form_of_mnist(normalized(draw(STROKES[strokes], pen=pen)))


@pytest.mark.parametrize("several", SEVERAL)
@pytest.mark.parametrize("side", [120, 280, 900])
def test_several_digits_are_refused_with_how_many(several, side):
    count, strokes = SEVERAL[several]
    with pytest.raises(InvalidImage, match=f"one digit, got {count} separate digits"):
        normalized(draw(strokes, side, pen=3.5))


def test_several_digits_on_a_photo_are_refused():
    with pytest.raises(InvalidImage, match="2 separate digits or other things, as in a photo"):
        normalized(photographed(draw(SEVERAL["10"][1])))


def test_where_and_how_large_a_digit_is_drawn_does_not_matter():
    small = [[(x / 2 + 5, y / 2 + 45) for x, y in stroke] for stroke in INKS["2"]]
    one = normalized(draw(INKS["2"])).image.astype(int)
    other = normalized(draw(small, 840, pen=3)).image.astype(int)
    # Rounding may place it one pixel beside.
    shifts = [
        np.roll(other, (down, across), (0, 1)) for down in (-1, 0, 1) for across in (-1, 0, 1)
    ]
    assert min(np.abs(one - shifted).mean() for shifted in shifts) < 6


def test_light_ink_on_a_dark_background_is_not_inverted():
    dark, light = normalized(draw(INKS["3"])), normalized(255 - draw(INKS["3"]))
    np.testing.assert_array_equal(dark.image, light.image)
    assert (dark.steps, light.steps) == (["inverted", "cropped", "centred"], ["cropped", "centred"])


def test_faint_and_coloured_ink_count_as_much_as_black():
    black = draw(INKS["7"])
    faint = (255 - (255 - black.astype(int)) // 4).astype(np.uint8)
    blue = np.concatenate([black, black, np.full_like(black, 255)], axis=-1)
    for pixels in (faint, blue):
        difference = normalized(black).image.astype(int) - normalized(pixels).image
        assert np.abs(difference).max() <= 3


@pytest.mark.parametrize("noise", [0, 6, 12])
@pytest.mark.parametrize("digit", INKS)
def test_a_photo_on_uneven_paper_comes_out_as_the_drawing_does(digit, noise):
    drawing = draw(INKS[digit])
    canvas = normalized(photographed(drawing, noise))
    assert_is_in_the_form_of_mnist(canvas)
    assert "cleaned" in canvas.steps
    one, other = (each.image[..., 0].astype(float) for each in (canvas, normalized(drawing)))
    assert likeness(one, other) > 0.85


def test_chalk_on_a_board_is_not_inverted():
    canvas = normalized(255 - photographed(draw(INKS["7"])))
    assert_is_in_the_form_of_mnist(canvas)
    assert "inverted" not in canvas.steps


def test_specks_are_dropped():
    pixels = draw(INKS["7"])
    dirty = pixels.copy()
    dirty[5:9, 5:9] = dirty[270:273, 20:26] = 0
    canvas = normalized(dirty)
    np.testing.assert_array_equal(canvas.image, normalized(pixels).image)
    assert canvas.steps == ["inverted", "cleaned", "cropped", "centred"]


def test_hair_lines_are_thickened():
    canvas = normalized(draw(INKS["2"], pen=1))
    assert_is_in_the_form_of_mnist(canvas)
    assert canvas.steps == ["inverted", "thickened", "cropped", "centred"]
    assert np.count_nonzero(canvas.image > 127) > 1.3 * longest_side(canvas.image)


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((280, 280, 1), 255, np.uint8),
        np.zeros((280, 280, 3), np.uint8),
        np.zeros((28, 28, 1), np.uint8),
        np.full((28, 28, 1), 9, np.uint8),
        np.full((28, 28, 1), 255, np.uint8),
        np.full((1, 1, 1), 7, np.uint8),
        np.full((1, 4000, 1), 255, np.uint8),
        photographed(np.full((280, 280, 1), 255, np.uint8)),
        photographed(np.full((280, 280, 1), 255, np.uint8), noise=15, seed=1),
        draw([[(50, 50), (51, 50)]], pen=1),
    ],
    ids=[
        "white", "black", "28 black", "28 nearly black", "28 white", "a pixel", "a line", "paper",
        "noisy paper", "a dot",
    ],
)  # fmt: skip
def test_a_blank_image_is_refused(pixels):
    with pytest.raises(InvalidImage, match="the image is blank"):
        normalized(pixels)


@pytest.mark.parametrize("pixels", [draw(INKS["7"]) // 17, draw(INKS["7"], 28) // 255])
def test_an_image_on_another_scale_is_told_its_levels(pixels):
    with pytest.raises(InvalidImage, match=rf"levels are 0 to {pixels.max()}, of 0 = black to 255"):
        normalized(pixels)


def test_a_photo_without_a_digit_is_not_called_blank():
    tiles = np.kron(np.indices((7, 7)).sum(axis=0) % 2, np.ones((40, 40)))
    pattern = (40 + 170 * tiles + np.random.default_rng(3).normal(0, 20, tiles.shape)).clip(0, 255)

    with pytest.raises(InvalidImage, match=r"photo or a pattern|several digits"):
        normalize_digit(pattern.astype(np.uint8)[..., np.newaxis], normalize=True)


def test_a_small_image_with_a_dark_border_passes_unchanged_even_with_two_digits():
    pixels = np.zeros((28, 28, 1), np.uint8)
    pixels[5:20, 5:8] = pixels[5:20, 15:18] = 60
    canvas = normalized(pixels)
    np.testing.assert_array_equal(canvas.image, pixels)
    assert canvas.steps == []


def test_without_normalizing_only_a_wrong_size_is_refused():
    for pixels in (np.zeros((28, 28, 1), np.uint8), draw(SEVERAL["10"][1], 28)):
        canvas = normalize_digit(pixels, normalize=False)
        np.testing.assert_array_equal(canvas.image, pixels)
        assert canvas.steps == []
    colour = np.full((28, 28, 3), (255, 0, 0), np.uint8)
    assert (normalize_digit(colour, normalize=False).image == 76).all()
    with pytest.raises(InvalidImage, match="must be 28 × 28 pixels, got 30 × 20"):
        normalize_digit(np.zeros((20, 30, 1), np.uint8), normalize=False)


@given(
    arrays(
        np.uint8,
        st.tuples(st.integers(1, 40), st.integers(1, 400), st.sampled_from([1, 3])),
        elements=st.integers(0, 255),
        fill=st.sampled_from([0, 200, 255]),
    ),
    st.booleans(),
)
def test_any_image_is_normalized_or_refused(pixels, normalize):
    with contextlib.suppress(InvalidImage):
        assert normalize_digit(pixels, normalize=normalize).image.shape == (28, 28, 1)


@pytest.mark.parametrize("shape", [(28, 28), (400, 100), (3, 900), (1, 1)])
def test_any_image_can_be_fitted_into_the_square(shape):
    fitted = fit(np.full((*shape, 1), 30, np.uint8))

    assert fitted.image.shape == (28, 28, 1)
    assert fitted.image.max() == 30


def test_a_light_background_turns_dark_when_an_image_is_fitted():
    paper = np.full((56, 56, 3), 240, np.uint8)
    paper[20:30, 20:30] = 10
    fitted = fit(paper)

    assert fitted.steps == ["inverted", "fitted"]
    assert fitted.image[0, 0, 0] == 15
    assert fitted.image.max() == 245


def test_what_shows_no_one_digit_is_fitted_unless_told_to_be_taken_as_it_is():
    blank = np.zeros((100, 100, 1), np.uint8)

    assert fit_digit(blank, normalize=True).steps == ["fitted"]
    with pytest.raises(InvalidImage, match="28 × 28"):
        fit_digit(blank, normalize=False)


@pytest.mark.parametrize("light", [127, 128, 143, 144])
@pytest.mark.parametrize("border", [55, 56, 57])
def test_a_28_by_28_image_is_taken_as_it_is_where_most_of_its_border_is_dark(border, light):
    grey = np.full((28, 28), light - 15, np.uint8)
    edge = [*((0, n) for n in range(28)), *((27, n) for n in range(28))]
    for place in edge[:border]:
        grey[place] = 200
    grey[14, 14] = light

    as_reference = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))
    is_dark = 2 * np.count_nonzero(as_reference < 128) > as_reference.size
    prepared = outcome(grey[..., np.newaxis])

    assert (prepared == []) == is_dark


def outcome(pixels):
    """The steps taken, or the refusal."""
    try:
        return normalize_digit(pixels, normalize=True).steps
    except InvalidImage as error:
        return str(error)
