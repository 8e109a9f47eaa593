"""What lies around a drawn digit is dropped, and a digit that fills its image stays whole."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from service.errors import InvalidImage
from service.preprocessing.digit import normalize_digit
from tests.service.preprocessing.test_digit import INKS, STROKES, draw, likeness

SIDE = 280
DIGITS = {
    **INKS,
    **{name: STROKES[name] for name in ("5 whose bar is off above", "4 in two strokes")},
}
WIDE = [(0, 0), (SIDE, 0)]


def lines(*places, width=4, ink=30):
    """Draw lines from (x, y) to (x, y) over a drawing."""

    def add(image):
        for place in places:
            ImageDraw.Draw(image).line(place, fill=ink, width=width)
        return image

    return add


def frame(box, width=4, ink=30):
    def add(image):
        ImageDraw.Draw(image).rectangle(box, outline=ink, width=width)
        return image

    return add


def ruled(gap, ink=140, tilt=0):
    return lines(*[(0, y, SIDE, y + tilt) for y in range(gap // 3, SIDE, gap)], width=2, ink=ink)


def turned(add, degrees):
    return lambda image: add(image).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)


def on_desk(level, degrees=0, noise=6):
    """Photograph the sheet from above, on a larger and darker desk."""

    def add(image):
        sheet = image.convert("LA").rotate(degrees, Image.Resampling.BICUBIC, expand=True)
        side = round(1.5 * SIDE)
        grain = np.random.default_rng(1).normal(level, noise, (side, side))
        desk = Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8)).convert("LA")
        desk.alpha_composite(sheet, ((side - sheet.width) // 2 + 9, (side - sheet.height) // 2 - 7))
        return desk.convert("L")

    return add


def inverted(add):
    return lambda image: Image.eval(add(image), lambda value: 255 - value)


def shadow(degrees, depth=0.5, softness=4):
    """Leave half of the sheet with less light, with an edge through the middle of the image."""

    def add(image):
        angle = np.deg2rad(degrees)
        y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
        inside = np.cos(angle) * x + np.sin(angle) * y
        shade = 1 - depth / (1 + np.exp(-inside / softness))
        grain = np.random.default_rng(3).normal(0, 2, (SIDE, SIDE))
        lit = np.asarray(image) * 0.9 * shade + grain
        return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))

    return add


EDGE = (0, 0, SIDE - 1, SIDE - 1)
AROUND = {
    "frame at the edge": frame(EDGE, 2),
    "thick frame at the edge": frame(EDGE, 9, ink=0),
    "light frame on black": inverted(frame(EDGE, 3)),
    "form box": frame((35, 30, 245, 255)),
    "thin grey form box": frame((40, 30, 240, 260), 2, ink=150),
    "form box turned": turned(frame((30, 22, 250, 260)), 3),
    "sudoku cell with two edges": lines((0, 2, SIDE, 2), (2, 0, 2, SIDE), width=6),
    "sudoku cell with its neighbours' lines": lines(
        (0, 20, SIDE, 20), (0, 262, SIDE, 262), (22, 0, 22, SIDE), (258, 0, 258, SIDE)
    ),
    "dark scan margin at the left": lines((6, 0, 6, SIDE), width=14, ink=10),
    "dark scan margins": lines((6, 0, 6, SIDE), (0, 5, SIDE, 5), width=13, ink=10),
    "wide scan margin below": lines((0, 265, SIDE, 265), width=36, ink=10),
    "soft margins": lambda image: frame(EDGE, 14)(image).filter(ImageFilter.GaussianBlur(2)),
    "sheet on a dark desk": on_desk(80),
    "sheet on a desk, turned": on_desk(100, degrees=7),
    "sheet on a grainy desk": on_desk(90, degrees=-4, noise=18),
    "sheet on a light desk": on_desk(170, noise=3),
    "ruled paper": ruled(60),
    "ruled paper, aslant": ruled(60, tilt=4),
    "one ruled line": lines((0, 245, SIDE, 246), width=2, ink=100),
    "margin line": lines((35, 0, 35, SIDE), width=3, ink=120),
    "ruled with a margin line": lambda image: lines((30, 0, 30, SIDE), width=2)(ruled(60)(image)),
    "underline": lines((70, 250, 215, 251), width=5),
    "a form's row of boxes": lines(
        (0, 22, SIDE, 22), (0, 260, SIDE, 260), (35, 22, 35, 260), (245, 22, 245, 260), width=3
    ),
    "a form's row of boxes, aslant": turned(lines(
        (0, 22, SIDE, 22), (0, 260, SIDE, 260), (35, 22, 35, 260), (245, 22, 245, 260), width=3
    ), 3),
    "frame that goes on below the image": lines(
        (35, 25, 245, 25), (35, 25, 35, SIDE), (245, 25, 245, SIDE)
    ),
    "shadow at the right": shadow(0),
    "shadow across": shadow(50, depth=0.6),
    "touching underline": lines((20, 237, 260, 237), width=5),
}  # fmt: skip


TURNED = {
    "form box turned": 3,
    "a form's row of boxes, aslant": 3,
    "sheet on a desk, turned": 7,
    "sheet on a grainy desk": -4,
}


def around(name, digit):
    image = Image.fromarray(draw(DIGITS[digit], SIDE)[..., 0])
    return np.asarray(AROUND[name](image))[..., np.newaxis]


def normalized(pixels):
    return normalize_digit(pixels, normalize=True).image[..., 0].astype(float)


@pytest.mark.parametrize("name", AROUND)
@pytest.mark.parametrize("digit", DIGITS)
def test_the_digit_inside_is_read(name, digit):
    upright = Image.fromarray(draw(DIGITS[digit], SIDE)[..., 0])
    plain = turned(lambda image: image, TURNED.get(name, 0))(upright)

    expected = normalized(np.asarray(plain)[..., np.newaxis])
    assert likeness(normalized(around(name, digit)), expected) > 0.85


@pytest.mark.parametrize("digit", sorted({*DIGITS, *STROKES} - {"1", "dotted 1"}))
@pytest.mark.parametrize("pen", [4, 8, 16])
def test_a_digit_cropped_to_its_strokes_stays_whole(digit, pen):  # a 1 would be all ink
    pixels = draw({**DIGITS, **STROKES}[digit], SIDE, pen)
    rows, columns = (np.flatnonzero((pixels[..., 0] < 128).any(axis=axis)) for axis in (1, 0))
    tight = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]

    assert likeness(normalized(tight), normalized(pixels)) > 0.9


@pytest.mark.parametrize("share", [0.55, 0.75, 0.95])
@pytest.mark.parametrize("digit", DIGITS)
def test_a_digit_of_any_size_stays_whole(share, digit):
    plain = draw(DIGITS[digit], SIDE)
    rows, columns = (np.flatnonzero((plain[..., 0] < 128).any(axis=axis)) for axis in (1, 0))
    side = round(max(np.ptp(rows), np.ptp(columns)) / share)
    top, left = ((used[0] + used[-1] - side) // 2 for used in (rows, columns))
    box = (left, top, left + side, top + side)
    larger = Image.fromarray(255 - plain[..., 0]).crop(box)  # black beyond the edge
    pixels = 255 - np.asarray(larger)[..., np.newaxis]

    assert likeness(normalized(pixels), normalized(plain)) > 0.9


# Strokes along more than half of the image's width.
WIDE_7 = [[(20, 20), (78, 20), (45, 80)]]
WIDE_2 = [[(28, 30), (50, 20), (68, 32), (20, 80), (80, 80)]]


@pytest.mark.parametrize(("strokes", "row"), [(WIDE_7, 56), (WIDE_2, 224)], ids=["bar", "base"])
@pytest.mark.parametrize("width", [1, 6])
@pytest.mark.parametrize("ink", [30, 140])
@pytest.mark.parametrize("off", [-5, 5])
def test_a_printed_line_inside_a_stroke_leaves_the_stroke(strokes, row, width, ink, off):
    pixels = draw(strokes, SIDE)
    rows = [row + off + step for step in (-56, 0, 56)]
    printed = lines(*[(0, y, SIDE, y) for y in rows], width=width, ink=ink)
    on_it = np.asarray(printed(Image.fromarray(pixels[..., 0])))[..., np.newaxis]

    assert likeness(normalized(on_it), normalized(pixels)) > 0.85


@pytest.mark.parametrize("side", [28, 40])
@pytest.mark.parametrize("digit", DIGITS)
def test_the_strokes_of_a_small_drawing_are_no_lines(side, digit):
    plain = draw(DIGITS[digit], SIDE)
    small = np.asarray(Image.fromarray(plain[..., 0]).resize((side, side)))[..., np.newaxis]

    assert likeness(normalized(small), normalized(plain)) > 0.8


def test_what_cannot_be_separated_is_refused():
    pixels = np.full((200, 200, 1), 255, np.uint8)
    pixels[10:190, 10:190] = 90
    pixels[60:140, 60:140] = 85  # nothing stands out on the dark square

    with pytest.raises(InvalidImage, match="separate from its surroundings: crop the image"):
        normalized(pixels)


def test_digits_in_two_boxes_are_several():
    image = Image.fromarray(
        draw([[(10, 30), (25, 30), (15, 70)], [(75, 30), (90, 30), (80, 70)]])[..., 0]
    )
    for left in (10, 190):
        frame((left, 60, left + 80, 220))(image)

    with pytest.raises(InvalidImage, match="2 separate digits"):
        normalized(np.asarray(image)[..., np.newaxis])
