"""The images of the scenarios, drawn with a few strokes: no data set is needed."""

import io
import random
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

DRAWN_DIGIT = 7
STROKES = ((0.27, 0.19), (0.72, 0.19), (0.43, 0.83))  # a seven, in shares of the image's side
OVERSAMPLING = 4  # drawn larger, then reduced, for soft edges like those of a pen or a browser
SMALL_PHOTO, USUAL_PHOTO = (224, 224), (500, 375)  # as networks, as photo collections have them
BLUR = {SMALL_PHOTO: 1.5, USUAL_PHOTO: 0.6}  # pixels; for files of 10 and 94 kB


def digit_png() -> bytes:
    """A 28×28 seven as the data set has them: light ink on black, which the service takes unchanged."""
    return encoded(_seven(28, ink=255, paper=0))


def drawing_png() -> bytes:
    """A 280×280 seven like a drawing on a page's canvas: dark ink on white, RGBA."""
    return encoded(_seven(280, ink=0, paper=255).convert("RGBA"))


def phone_jpeg() -> bytes:
    """A seven of 12 megapixels in colour, as a phone photographs it."""
    photo = Image.new("RGB", (4000, 3000), (230, 225, 215))
    seven = _seven(280, ink=40, paper=230).resize((2800, 2800))
    photo.paste(seven, (600, 100))
    return encoded(photo, "JPEG", quality=85)


def photo_jpeg(size: tuple[int, int] = SMALL_PHOTO) -> bytes:
    """A JPEG of a size of BLUR, coloured and in detail as photos are: a setting sun over waves."""
    width, height = size
    image = Image.linear_gradient("L").resize(size)
    noise = Image.frombytes("L", size, random.Random(DRAWN_DIGIT).randbytes(width * height))
    waves = noise.filter(ImageFilter.GaussianBlur(BLUR[size]))
    image = Image.merge("RGB", (image, waves, image.transpose(Image.Transpose.ROTATE_180)))
    sun = (width // 3, height // 4, width // 2, height // 2)
    ImageDraw.Draw(image).ellipse(sun, fill="orange")
    return encoded(image, "JPEG", quality=85)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The file of a Pillow image."""
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def _seven(side: int, ink: int, paper: int) -> Image.Image:
    large = side * OVERSAMPLING
    image = Image.new("L", (large, large), paper)
    points = [(x * large, y * large) for x, y in STROKES]
    ImageDraw.Draw(image).line(points, fill=ink, width=large // 11, joint="curve")
    return image.resize((side, side), Image.Resampling.LANCZOS)
