"""Test digits as drawings on a large canvas, with one property changed at a time."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from clients.load import images

Pixels: TypeAlias = NDArray[np.uint8]  # [H, W], light ink on black
Finish: TypeAlias = Callable[[Pixels, np.random.Generator], bytes]

CANVAS = 400
_FINE = 112  # side at which strokes and angles are changed: four pixels for one of MNIST's
_MARGIN = 2  # pixels of the source
_MNIST_SIZE = 20 / 28
_DARK_INK = 45  # of a pen on paper


def light_on_dark(ink: Pixels, rng: np.random.Generator) -> bytes:
    """As MNIST has it."""
    return encoded(ink)


def dark_on_light(ink: Pixels, rng: np.random.Generator) -> bytes:
    """Black on white."""
    return encoded(255 - ink)


def jpeg(ink: Pixels, rng: np.random.Generator) -> bytes:
    """Light on dark as a JPEG file of quality 30."""
    return encoded(ink, "JPEG", quality=30)


def on_paper(ink: Pixels, rng: np.random.Generator) -> bytes:
    """Dark on grey paper (185 ± 25, falling to a random side), with noise of σ 6."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.ogrid[-0.5 : 0.5 : ink.shape[0] * 1j, -0.5 : 0.5 : ink.shape[1] * 1j]
    paper = 185 + 50 * (np.cos(angle) * x + np.sin(angle) * y)
    shown = (
        paper + (_DARK_INK - paper) * (ink / 255) + 6 * rng.standard_normal(ink.shape, np.float32)
    )
    return encoded(np.clip(shown, 0, 255).astype(np.uint8))


def transparent(ink: Pixels, rng: np.random.Generator) -> bytes:
    """Black ink on nothing: a PNG whose alpha is the ink."""
    return encoded(np.dstack([np.zeros_like(ink), ink]))


class Drawing(NamedTuple):
    """How to draw a digit on the canvas."""

    size: tuple[float, float] = (_MNIST_SIZE, _MNIST_SIZE)  # of the ink's longer side / canvas
    is_anywhere: bool = False  # anywhere where it fits, instead of in the middle
    degrees: float = 0.0  # turned by this, to either side
    stroke: float | None = None  # × its width, with a pen's edges; None: as scanned
    finish: Finish = light_on_dark


_AS_USERS_DRAW = Drawing(is_anywhere=True, finish=dark_on_light)

VARIATIONS: dict[str, Drawing] = {
    "drawn large (0.71 of the canvas)": Drawing(),
    **{f"size {size}": Drawing((size, size)) for size in (1.0, 0.5, 0.3, 0.2, 0.1)},
    "off-centre": Drawing(is_anywhere=True),
    "dark on light": Drawing(finish=dark_on_light),
    "a pen's edges": Drawing(stroke=1.0),
    **{f"stroke × {factor}": Drawing(stroke=factor) for factor in (0.5, 1.5, 2.0)},
    **{f"turned by {degrees}°": Drawing(degrees=degrees) for degrees in (15, 25)},
    "JPEG quality 30": Drawing(finish=jpeg),
    "grey paper": Drawing(finish=on_paper),
    "transparent PNG": Drawing(finish=transparent),
    "as users draw: small (0.1 to 0.4)": _AS_USERS_DRAW._replace(size=(0.1, 0.4)),
    "as users draw: any size (0.1 to 1)": _AS_USERS_DRAW._replace(size=(0.1, 1.0)),
    "as users draw: any size, a pen's edges": _AS_USERS_DRAW._replace(size=(0.1, 1.0), stroke=1.0),
}
SMOOTH = Drawing((0.5, 0.9), finish=dark_on_light)
CRISP = SMOOTH._replace(stroke=1.0)


def draw(drawing: Drawing, digits: Pixels, rng: np.random.Generator) -> list[bytes]:
    """Draw digits uint8 [N, side, side] as image files."""
    return [drawing.finish(_ink(drawing, digit, rng), rng) for digit in digits]


def _ink(drawing: Drawing, digit: Pixels, rng: np.random.Generator) -> Pixels:
    source = digit if drawing.stroke is None else restroked(digit, drawing.stroke)
    if drawing.degrees:
        source = turned(source, drawing.degrees * rng.choice((-1, 1)))
    room = rng.random(2) if drawing.is_anywhere else np.full(2, 0.5)
    return placed(source, rng.uniform(*drawing.size), (room[0], room[1]))


def placed(source: Pixels, size: float, room: tuple[float, float] = (0.5, 0.5)) -> Pixels:
    """Draw uint8 [side, side] smoothly (bicubic) on the canvas, uint8 [400, 400].

    Args:
        source: Light ink on black.
        size: The longer side of the ink's box, as a share of the canvas.
        room: How much of the free height is above the box, and of the free width at its left.
    """
    padded = np.pad(source, _MARGIN)  # of black, so that edges stay soft
    (top, bottom), (left, right) = (_extent(padded.max(axis=axis) > 0) for axis in (1, 0))
    width, height = right - left, bottom - top
    scale = size * CANVAS / max(width, height)
    drawn = Image.fromarray(padded).resize(
        (round((width + 2 * _MARGIN) * scale), round((height + 2 * _MARGIN) * scale)),
        Image.Resampling.BICUBIC,
        (left - _MARGIN, top - _MARGIN, right + _MARGIN, bottom + _MARGIN),
    )
    free = CANVAS - height * scale, CANVAS - width * scale
    y, x = (round(share * rest - _MARGIN * scale) for share, rest in zip(room, free, strict=True))
    canvas = Image.new("L", (CANVAS, CANVAS))
    canvas.paste(drawn, (x, y))
    return np.asarray(canvas)


def turned(digit: Pixels, degrees: float) -> Pixels:
    """Turn uint8 [side, side] anticlockwise, in pixels fine enough to lose nothing."""
    image = _fine(digit).rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    return np.asarray(image)


def restroked(digit: Pixels, factor: float) -> Pixels:
    """Redraw uint8 [side, side] with strokes `factor` times as wide and sharp, uint8 [112, 112].

    The outline, where the ink is half its strongest, moves by a share of half the mean width, so
    that parts of a stroke thinner than its mean may break when it is made thinner.
    """
    fine = np.asarray(_fine(digit))
    is_ink = fine > fine.max() / 2
    inside = ndimage.distance_transform_edt(is_ink) - 0.5
    outside = ndimage.distance_transform_edt(~is_ink) - 0.5
    half_width = 2 * float(inside[is_ink].mean())  # along a strip the mean distance is a half of it
    signed = np.where(is_ink, inside, -outside) + (factor - 1) * half_width
    return np.asarray(np.clip(signed + 0.5, 0, 1) * 255).astype(np.uint8)


def encoded(pixels: Pixels, kind: str = "PNG", **options: Any) -> bytes:
    """uint8 [H, W] (grey) or [H, W, 2] (grey and alpha) → the bytes of a file."""
    if kind == "PNG":
        options = {"compress_level": 1, **options}  # made once, read once
    return images.encoded(Image.fromarray(pixels), kind, **options)


def _fine(digit: Pixels) -> Image.Image:
    return Image.fromarray(digit).resize((_FINE, _FINE), Image.Resampling.BICUBIC)


def _extent(is_used: NDArray[np.bool_]) -> tuple[int, int]:
    """The first that is used and the one after the last."""
    used = np.flatnonzero(is_used)
    return int(used[0]), int(used[-1]) + 1
