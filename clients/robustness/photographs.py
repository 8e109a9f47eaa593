"""Test digits as simulated photographs: written on paper, lit, and seen by a camera.

Each digit is written on a sheet (plain, ruled, squared, with a margin, in a frame or a form's box) with a
ball-pen, a marker or a pencil. The sheet lies on a desk or fills the view, is lit by one or several lamps,
and is saved as a JPEG file. Everything is rendered; no photograph is used.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage

from clients.load.images import encoded
from clients.robustness.drawings import CANVAS, Pixels, placed, restroked

Colours: TypeAlias = NDArray[np.float32]  # [H, W, 3], reflected or seen light, 0..255
Range: TypeAlias = tuple[float, float]

VIEW = 480  # pixels of a side of the photograph
_PENS = {  # width of a stroke by MNIST's, darkness
    "ball-pen": ((0.6, 0.9), (0.7, 0.95)),
    "marker": ((1.1, 1.4), (0.85, 1.0)),
    "pencil": ((0.6, 0.9), (0.3, 0.5)),
}
_INKS = ((25, 25, 30), (30, 45, 140), (150, 30, 35))  # black, blue, red
_DESKS = ((70, 50, 35), (120, 85, 55), (45, 45, 50), (150, 150, 155))  # woods, dark, grey


class Scene(NamedTuple):
    """One way to photograph a digit; ranges are drawn from uniformly."""

    paper: str = "plain"  # plain, ruled, squared, margin, frame or box
    pens: tuple[str, ...] = ("ball-pen", "marker")
    size: Range = (0.35, 0.6)  # of the digit's longer side / sheet
    on_desk: bool = False  # the whole sheet is seen, and the desk around it
    perspective: Range = (0.0, 0.03)  # how far a corner moves / view
    degrees: float = 3.0  # turned by at most this
    lamps: tuple[int, int] = (1, 1)  # at least, at most
    shadow: bool = False
    blur: Range = (0.4, 1.0)  # pixels, standard deviation
    noise: Range = (1.5, 4.0)  # grey levels, standard deviation


SCENES: dict[str, Scene] = {
    "sheet on a desk": Scene(on_desk=True),
    "frame": Scene(paper="frame"),
    "form box": Scene(paper="box"),
    "ruled paper": Scene(paper="ruled"),
    "squared paper": Scene(paper="squared"),
    "margin": Scene(paper="margin"),
    "shadow": Scene(shadow=True),
    "low contrast": Scene(pens=("pencil",), noise=(2.0, 4.0)),
    "perspective": Scene(perspective=(0.06, 0.14), degrees=8.0),
    "blur": Scene(blur=(2.0, 4.0)),
    "several lamps": Scene(lamps=(2, 3)),
}


def photographs(scene: Scene, digits: Pixels, rng: np.random.Generator) -> list[bytes]:
    """Render digits uint8 [N, 28, 28] in a scene as JPEG files."""
    return [photograph(scene, digit, rng) for digit in digits]


def photograph(scene: Scene, digit: Pixels, rng: np.random.Generator) -> bytes:
    """Write uint8 [28, 28] on paper and photograph it; the bytes of a JPEG file of 480 × 480."""
    seen = _through_lens(_written(scene, digit, rng), scene, rng)
    lit = seen * _light(scene, rng)
    if scene.shadow:
        lit *= _shadow(rng)
    blurred = Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(rng.uniform(*scene.blur))
    )
    grain = rng.uniform(*scene.noise) * rng.standard_normal((VIEW, VIEW, 3), np.float32)
    pixels = np.clip(np.asarray(blurred) + grain, 0, 255).astype(np.uint8)
    return encoded(Image.fromarray(pixels), "JPEG", quality=int(rng.integers(60, 95)))


def _written(scene: Scene, digit: Pixels, rng: np.random.Generator) -> Colours:
    """The sheet, printed and written on, [400, 400, 3]."""
    width, darkness = _PENS[scene.pens[rng.integers(len(scene.pens))]]
    size = rng.uniform(*scene.size)
    ink = placed(restroked(digit, rng.uniform(*width)), size, tuple(rng.uniform(0.35, 0.65, 2)))
    sheet = np.full((CANVAS, CANVAS, 3), rng.uniform(205, 245), np.float32)
    sheet *= 1 - rng.uniform(0, 0.06, 3).astype(np.float32)  # paper is not quite white
    for lines, colour in _printed(scene.paper, ink, rng):
        sheet = _over(sheet, lines, colour)
    colour = np.array(_INKS[rng.integers(len(_INKS))], np.float32)
    return _over(sheet, _share(ink * (rng.uniform(*darkness) / 255)), colour)


def _over(sheet: Colours, share: NDArray[np.float32], colour: NDArray[np.float32]) -> Colours:
    mixed: Colours = sheet + share[..., np.newaxis] * (colour - sheet)
    return mixed


def _share(values: NDArray[Any]) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _printed(
    paper: str, ink: Pixels, rng: np.random.Generator
) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """The print on the sheet below the digit: where lines are [400, 400], 0..1, and their colour."""
    pale = np.array((110, 140, 190), np.float32) + rng.uniform(-25, 35)
    dark = np.full(3, rng.uniform(20, 110), np.float32)
    if paper in ("ruled", "squared"):
        gap = rng.uniform(0.14, 0.24) if paper == "ruled" else rng.uniform(0.09, 0.16)
        directions = (0,) if paper == "ruled" else (0, 1)
        return [(_parallels(gap * CANVAS, axis, rng), pale) for axis in directions]
    if paper == "margin":
        red = np.array((200, 70, 80), np.float32)
        return [
            (_parallels(CANVAS / 6, 0, rng), pale),
            (_line(int(rng.integers(30, 80)), 1, 3), red),
        ]
    if paper in ("frame", "box"):
        return [(_boxes(ink, rng, has_neighbours=paper == "box"), dark)]
    return []


def _parallels(gap: float, axis: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Lines one or two pixels wide, `gap` apart, along the rows (axis 0) or the columns (1)."""
    places = np.arange(rng.uniform(0, gap), CANVAS - 2, gap).astype(int)
    width = int(rng.integers(1, 3))
    drawn = sum(
        (_line(place, axis, width) for place in places), np.zeros((CANVAS,) * 2, np.float32)
    )
    return np.minimum(drawn, 1).astype(np.float32)


def _line(place: int, axis: int, width: int) -> NDArray[np.float32]:
    drawn = np.zeros((CANVAS, CANVAS), np.float32)
    part = slice(place, place + width)
    drawn[(part, slice(None)) if axis == 0 else (slice(None), part)] = 1
    return drawn


def _boxes(ink: Pixels, rng: np.random.Generator, *, has_neighbours: bool) -> NDArray[np.float32]:
    """A rectangle around the digit that does not touch it; in a form its sides extend to the left and right."""
    rows, columns = (np.flatnonzero(ink.max(axis=axis) > 0) for axis in (1, 0))
    space = [int(rng.integers(16, 60)) for _ in range(4)]
    top, bottom = max(3, rows[0] - space[0]), min(CANVAS - 8, rows[-1] + space[1])
    left, right = max(3, columns[0] - space[2]), min(CANVAS - 8, columns[-1] + space[3])
    width = int(rng.integers(2, 6))
    drawn = np.zeros((CANVAS, CANVAS), np.float32)
    across = slice(None) if has_neighbours else slice(left, right + width)
    for row in (top, bottom):
        drawn[row : row + width, across] = 1
    for column in (left, right):
        drawn[top : bottom + width, column : column + width] = 1
    return drawn


def _through_lens(sheet: Colours, scene: Scene, rng: np.random.Generator) -> Colours:
    """Look at the sheet from the scene's side: turned and in perspective, [480, 480, 3]."""
    reach = rng.uniform(0.62, 0.85) if scene.on_desk else rng.uniform(1.08, 1.3)
    angle = np.deg2rad(rng.uniform(-scene.degrees, scene.degrees))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * reach * VIEW / 2
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    moved = rng.uniform(*scene.perspective, (4, 2)) * rng.choice((-1, 1), (4, 2)) * VIEW
    seen_at = corners @ turn + VIEW / 2 + moved
    if scene.on_desk:
        seen_at += rng.uniform(-0.05, 0.05, 2) * VIEW
    coefficients = _projection(seen_at, np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * float(CANVAS))
    background = _desk(rng) if scene.on_desk else np.zeros((VIEW, VIEW, 3), np.float32)
    # A sheet that fills the view extends beyond its last pixels.
    room = 0 if scene.on_desk else CANVAS // 2
    wide = np.pad(sheet, ((room, room), (room, room), (0, 0)), mode="edge")
    coefficients = _shifted(coefficients, room)
    image = Image.fromarray(np.clip(wide, 0, 255).astype(np.uint8)).convert("RGBA")
    seen = image.transform(
        (VIEW, VIEW), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC
    )
    pixels = np.asarray(seen, np.float32)
    return _over(background, _share(pixels[..., 3] / 255), pixels[..., :3])


def _projection(places: NDArray[np.float64], sources: NDArray[np.float64]) -> list[float]:
    """Pillow's eight numbers of the perspective that shows four sources [4, 2] at four places [4, 2]."""
    rows, values = [], []
    for (x, y), (u, v) in zip(places, sources, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        values += [u, v]
    solved: list[float] = np.linalg.solve(np.array(rows, float), np.array(values, float)).tolist()
    return solved


def _shifted(coefficients: list[float], room: int) -> list[float]:
    """The same perspective of a source with `room` more pixels at its left and above it."""
    a, b, c, d, e, f, g, h = coefficients
    return [a + room * g, b + room * h, c + room, d + room * g, e + room * h, f + room, g, h]


def _desk(rng: np.random.Generator) -> Colours:
    """Wood, stone or plastic: a colour with grain along one direction, [480, 480, 3]."""
    colour = np.array(_DESKS[rng.integers(len(_DESKS))], np.float32)
    sigma = (rng.uniform(0.5, 2), rng.uniform(4, 40))
    grain = ndimage.gaussian_filter(rng.standard_normal((VIEW, VIEW), np.float32), sigma)
    grain *= rng.uniform(0.02, 0.12) / float(grain.std())
    desk: Colours = colour * (1 + grain[..., np.newaxis])
    return desk


def _light(scene: Scene, rng: np.random.Generator) -> Colours:
    """Brightness and tint of the light at each pixel, [480, 480, 3]."""
    y, x = np.ogrid[-1 : 1 : VIEW * 1j, -1 : 1 : VIEW * 1j]
    count = int(rng.integers(scene.lamps[0], scene.lamps[1] + 1))
    light = np.full((VIEW, VIEW, 3), rng.uniform(0.5, 0.7), np.float32)
    for _ in range(count):
        across, down = rng.uniform(-1.6, 1.6, 2)
        width = rng.uniform(0.8, 1.6) if count > 1 else rng.uniform(1.6, 3.0)
        near = np.exp(-((x - across) ** 2 + (y - down) ** 2) / (2 * width**2))
        tint = 1 - rng.uniform(0, 0.12, 3)
        light += (rng.uniform(0.3, 0.55) * near[..., np.newaxis] * tint).astype(np.float32)
    return light


def _shadow(rng: np.random.Generator) -> Colours:
    """The shadow of a hand or a head: a half plane or a disc with a soft edge, [480, 480, 1]."""
    y, x = np.ogrid[-1 : 1 : VIEW * 1j, -1 : 1 : VIEW * 1j]
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        inside = np.cos(angle) * x + np.sin(angle) * y + rng.uniform(-0.4, 0.4)
    else:
        across, down = rng.uniform(-1, 1, 2)
        inside = rng.uniform(0.5, 1.0) - np.hypot(x - across, y - down)
    softness = rng.uniform(0.02, 0.15)
    share = 1 / (1 + np.exp(-inside / softness))
    shade: Colours = (1 - rng.uniform(0.3, 0.55) * share)[..., np.newaxis].astype(np.float32)
    return shade
