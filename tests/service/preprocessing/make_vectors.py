"""Writes tests/fixtures/preprocessing.json: images, and what the service makes of them.

The page's JavaScript has to make the same of them. Run `python -m tests.service.preprocessing.make_vectors`
after a change of service/preprocessing, and look at what changed.
"""

import base64
import hashlib
import json
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from service.codecs import latents
from service.codecs.random_streams import uniforms
from service.errors import InvalidImage
from service.preprocessing.clothing import normalize_clothing
from service.preprocessing.digit import fit_digit, normalize_digit
from service.preprocessing.photo import fit_photo

FILE = Path(__file__).parents[2] / "fixtures" / "preprocessing.json"
SEVEN = [[(0.3, 0.25), (0.7, 0.25), (0.6, 0.48), (0.48, 0.8)]]
FIVE = [
    [(0.35, 0.2), (0.34, 0.48), (0.6, 0.5), (0.65, 0.7), (0.35, 0.8)],
    [(0.38, 0.17), (0.7, 0.16)],
]
ELEVEN = [[(0.3, 0.2), (0.3, 0.8)], [(0.7, 0.2), (0.7, 0.8)]]


def drawn(strokes=SEVEN, side=140, ink=0, paper=255, width=0.075, lines=()):
    """Strokes in the unit square, and lines ((x0, y0), (x1, y1), grey), on an even ground."""
    image = Image.new("L", (4 * side, 4 * side), paper)
    pen = ImageDraw.Draw(image)
    for start, end, grey in lines:
        pen.line(
            [tuple(4 * side * value for value in point) for point in (start, end)], grey, side // 12
        )
    for stroke in strokes:
        points = [tuple(4 * side * value for value in point) for point in stroke]
        pen.line(points, ink, max(1, round(4 * side * width)), "curve")
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def on_paper(grey, seed=1, shade=0.5, noise=4):
    """The same as a photo: a shadow across it, and noise."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[0 : 1 : grey.shape[0] * 1j, 0 : 1 : grey.shape[1] * 1j]
    lit = grey * (1 - shade * (0.3 * down + 0.7 * across * across))
    return np.clip(lit + random.normal(0, noise, grey.shape), 0, 255).astype(np.uint8)


def on_desk(grey):
    """A sheet that lies aslant on a darker desk."""
    image = Image.fromarray(grey).rotate(8, Image.Resampling.BILINEAR, expand=True, fillcolor=60)
    return np.asarray(image)


def half_in_a_shadow(grey):
    """The same sheet with less light on its right half, with a soft edge, and noise."""
    across = np.arange(grey.shape[1]) - 0.45 * grey.shape[1]
    lit = grey * (1 - 0.5 / (1 + np.exp(-across / 3)))
    noise = np.random.default_rng(4).normal(0, 2, grey.shape)
    return np.clip(lit + noise, 0, 255).astype(np.uint8)


def photo(height, width, seed=3):
    """Coloured slopes and blocks, uint8 [H, W, 3]."""
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3))
    blocks = blocks.repeat(8, 0).repeat(8, 1)[:height, :width]
    slopes = np.mgrid[0 : 255 : height * 1j, 0 : 255 : width * 1j].sum(axis=0)[..., np.newaxis] / 2
    return ((blocks + slopes) / 2).astype(np.uint8)


def images():
    """Every image of a drawing, by what it shows."""
    framed = [
        ((0.04, 0.04), (0.96, 0.04), 0),
        ((0.96, 0.04), (0.96, 0.96), 0),
        ((0.96, 0.96), (0.04, 0.96), 0),
        ((0.04, 0.96), (0.04, 0.04), 0),
    ]
    ruled = [((0.0, y), (1.0, y), 150) for y in (0.1, 0.5, 0.9)]
    squares = [((0.0, y), (1.0, y), 170) for y in (0.1, 0.35, 0.6, 0.85)]
    squares += [((x, 0.0), (x, 1.0), 170) for x in (0.1, 0.35, 0.6, 0.85)]
    boxes = [((0.0, y), (1.0, y), 60) for y in (0.08, 0.92)]
    boxes += [((x, 0.08), (x, 0.92), 60) for x in (0.12, 0.88)]
    beyond = [((0.1, 0.1), (0.9, 0.1), 0), ((0.1, 0.1), (0.1, 1), 0), ((0.9, 0.1), (0.9, 1), 0)]
    specks = [((x, 0.95), (x + 0.004, 0.95), 0) for x in (0.05, 0.95)]
    grey = drawn()
    return {
        "dark on light": grey,
        "light on dark": 255 - grey,
        "as the page draws it": drawn(side=280),
        "larger than it is looked at": drawn(FIVE, side=700),
        "two strokes": drawn(FIVE),
        "hair-thin": drawn(width=0.008, side=280),
        "fat": drawn(width=0.16),
        "touches the edge": drawn([[(0.3, -0.1), (0.7, 0.3), (0.4, 1.1)]]),
        "wider than high": drawn(side=140)[40:120],
        "higher than wide": drawn(side=140)[:, 35:105],
        "faint": drawn(ink=200),
        "two digits": drawn(ELEVEN),
        "blank": np.full((90, 120), 255, np.uint8),
        "on another scale": drawn() // 17,
        "a dot": drawn([[(0.5, 0.5), (0.505, 0.5)]], width=0.004, side=280),
        "28 × 28 in MNIST's form": np.pad(255 - drawn(side=20), 4),
        "28 × 28 on white": drawn(side=28),
        "28 × 28 blank": np.zeros((28, 28), np.uint8),
        "specks beside it": drawn(lines=specks),
        "in a frame": drawn(lines=framed),
        "on ruled paper": drawn(lines=ruled),
        "a ruled line in its bar": drawn(
            [[(0.2, 0.25), (0.8, 0.25), (0.48, 0.8)]],
            side=280,
            lines=[((0.0, y), (1.0, y), 150) for y in (0.1, 0.25, 0.4, 0.55)],
        ),
        "on squared paper": drawn(lines=squares, ink=20),
        "in a form's row of boxes": drawn(lines=boxes),
        "in boxes, aslant": np.asarray(
            Image.fromarray(drawn(FIVE, lines=boxes)).rotate(
                3, Image.Resampling.BILINEAR, fillcolor=255
            )
        ),
        "in a frame that goes on below": drawn(lines=beyond),
        "half in a shadow": half_in_a_shadow(drawn(side=200)),
        "underlined": drawn(lines=[((0.1, 0.92), (0.9, 0.92), 0)]),
        "paper in a shadow": on_paper(grey),
        "paper in a shadow, wider": on_paper(drawn(FIVE, side=200), seed=2)[:, 20:190],
        "light chalk on a board": on_paper(drawn(ink=235, paper=60)),
        "empty paper": on_paper(np.full((120, 100), 230, np.uint8)),
        "a sheet on a desk": on_desk(drawn(side=200)),
        "a photo of a sheet on a desk": on_paper(on_desk(drawn(side=200)), shade=0.2, noise=2),
        "a pattern": photo(120, 120)[..., 0],
    }


def expected(make):
    """What came out: { image, height, width, steps }, or { error }."""
    try:
        made = make()
    except InvalidImage as error:
        return {"error": str(error)}
    height, width = made.image.shape[:2]
    content = (
        {"image": packed(made.image)}
        if made.image.size < 4000
        else {"sha256": hashlib.sha256(made.image.tobytes()).hexdigest()}
    )
    return {"height": height, "width": width, **content, "steps": made.steps}


def packed(pixels):
    """Bytes → base64 of their zlib stream."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(pixels).tobytes(), 9)).decode()


def unpacked(case):
    """The image of a case, uint8 [H, W, C]."""
    content = np.frombuffer(zlib.decompress(base64.b64decode(case["image"])), np.uint8)
    return content.reshape(case["height"], case["width"], case["channels"])


FORMS = {"digit": normalize_digit, "fitted": fit_digit, "garment": normalize_clothing}
PHOTOS = {
    "larger": (photo(80, 120), (24, 24, 3), 0.875),
    "smaller": (photo(20, 17), (24, 24, 3), 0.875),
    "as large": (photo(24, 24), (24, 24, 3), 1.0),
    "upright": (photo(90, 41), (32, 20, 3), 0.7),
    "as the labels take it": (photo(240, 300), (224, 224, 3), 0.875),
}


def vectors():
    """Every case with its result."""
    drawings = [
        {
            "name": name,
            "height": image.shape[0],
            "width": image.shape[1],
            "channels": 1,
            "image": packed(image),
            **{
                form: expected(
                    lambda make=make, image=image: make(image[..., np.newaxis], normalize=True)
                )
                for form, make in FORMS.items()
            },
        }
        for name, image in images().items()
    ]
    photos = [
        {
            "name": name,
            "height": image.shape[0],
            "width": image.shape[1],
            "channels": 3,
            "image": packed(image),
            "input": {"height": shape[0], "width": shape[1], "channels": shape[2], "crop": crop},
            "photo": expected(
                lambda image=image, shape=shape, crop=crop: fit_photo(image, shape, crop)
            ),
        }
        for name, (image, shape, crop) in PHOTOS.items()
    ]
    return {"drawings": drawings, "photos": photos, "random": random_numbers()}


def random_numbers():
    """What a random seed stands for: uniform and normal numbers, and the map's places."""
    return {
        "uniforms": [
            {
                "arguments": [seed, index, start, 20],
                "values": uniforms(seed, index, start, 20).tolist(),
            }
            for seed, index, start in ((0, 0, 0), (42, 3, 5), (2**32 - 1, 70_000, 1_001))
        ],
        "normals": {"arguments": [7, 3, 30], "values": latents.draw(7, 3, 30).tolist()},
        "plane": {"arguments": [5], "values": latents.plane(5).tolist()},
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n")
