"""Out-of-distribution images: not a digit, or more than one."""

import importlib.util
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from clients.robustness.drawings import CANVAS, Pixels, encoded, placed

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# What a person too may read as the digit: 0, 1, 2, 5, 6, 8, 9.
LOOK_LIKE_DIGITS = frozenset("DOQoIilZzSsGbBgq")
PILLOW_FONT = "Pillow's default"
# Of packages, so that every machine draws the same; those of matplotlib only where it is installed.
_PACKAGED = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic"),
    *("cmr10", "cmss10", "cmti10", "cmtt10"),
)


class Letter(NamedTuple):
    """One letter of one font."""

    character: str
    font: str  # a file's path, or `PILLOW_FONT`


def fonts() -> list[str]:
    """The fonts that this machine's packages bring."""
    package = importlib.util.find_spec("matplotlib")
    if package is None or package.origin is None:
        return [PILLOW_FONT]
    folder = Path(package.origin).parent / "mpl-data/fonts/ttf"
    files = [folder / f"{name}.ttf" for name in _PACKAGED]
    return [PILLOW_FONT, *(str(file) for file in files if file.is_file())]


def letters(*, without_lookalikes: bool = False) -> list[Letter]:
    """Every letter, upper and lower case, in every font."""
    left_out = LOOK_LIKE_DIGITS if without_lookalikes else frozenset()
    return [
        Letter(character, font)
        for font, character in product(fonts(), LETTERS)
        if character not in left_out
    ]


def draw_letters(some: Sequence[Letter], rng: np.random.Generator) -> list[bytes]:
    """Each 150 to 300 points large, somewhere on the canvas, dark on light."""
    return [_draw_letter(letter, rng) for letter in some]


def _draw_letter(letter: Letter, rng: np.random.Generator) -> bytes:
    points = int(rng.integers(150, 301))
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    if letter.font == PILLOW_FONT:
        font = ImageFont.load_default(points)
    else:
        font = ImageFont.truetype(letter.font, points)
    left, top, right, bottom = font.getbbox(letter.character)
    free = np.maximum([CANVAS - (right - left), CANVAS - (bottom - top)], 0)
    x, y = rng.random(2) * free
    canvas = Image.new("L", (CANVAS, CANVAS), 255)
    ImageDraw.Draw(canvas).text((x - left, y - top), letter.character, fill=0, font=font)
    return encoded(np.asarray(canvas))


def draw_scribbles(some: Sequence[int], rng: np.random.Generator) -> list[bytes]:
    """One smooth curve through 5 to 9 random points each, 14 to 28 pixels wide, dark on light."""
    return [_draw_scribble(rng) for _ in some]


def _draw_scribble(rng: np.random.Generator) -> bytes:
    from scipy.interpolate import CubicSpline  # a quarter of a second to import, for this alone

    count = int(rng.integers(5, 10))
    corners = rng.uniform(0.15 * CANVAS, 0.85 * CANVAS, (count, 2))
    curve = CubicSpline(np.arange(count), corners)(np.linspace(0, count - 1, 40 * count))
    radius = int(rng.integers(7, 15))
    canvas = Image.new("L", (CANVAS, CANVAS), 255)
    pen = ImageDraw.Draw(canvas)
    points = [(float(x), float(y)) for x, y in curve]
    pen.line(points, fill=0, width=2 * radius)
    for x, y in points:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return encoded(np.asarray(canvas))


def draw_noise(some: Sequence[int], rng: np.random.Generator) -> list[Pixels]:
    """28 × 28 pixels of any grey each."""
    return list(rng.integers(0, 256, (len(some), 28, 28), np.uint8))


def draw_two_digits(pairs: Pixels, rng: np.random.Generator) -> list[bytes]:
    """uint8 [N, 2, 28, 28] → two digits side by side, dark on light."""
    return [
        encoded(255 - np.maximum(placed(first, 0.4, (0.5, 0.1)), placed(second, 0.4, (0.5, 0.9))))
        for first, second in pairs
    ]


def blanks() -> list[tuple[int, int]]:
    """(side, grey level) of images that show nothing."""
    return list(product((28, 100, 280, 400), (0, 64, 128, 192, 255)))


def draw_blanks(some: Sequence[tuple[int, int]], rng: np.random.Generator) -> list[bytes]:
    """One even grey each."""
    return [encoded(np.full((side, side), level, np.uint8)) for side, level in some]
