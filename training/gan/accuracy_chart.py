"""A discriminator's accuracy over a training as one small picture, with nothing but Pillow.

Two curves, on real and on generated pictures, and a dashed line at a half: what the best discriminator
reaches against a perfect generator.
"""

import base64
import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

SCALE = 2  # drawn larger, then shrunk: soft edges
WIDTH, HEIGHT = 500, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 16, 28, 36  # around the axes
REAL, GENERATED, INK, GREY, FAINT, PAPER = (
    "#1f5fa8", "#c2571a", "#222222", "#666666", "#d8d8d8", "#ffffff",
)  # fmt: skip
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
PERFECT = 0.5

Point = tuple[float, float]


def draw(real: Sequence[float], generated: Sequence[float]) -> str:
    """Accuracies 0..1 after each epoch, as many of both → a PNG as a data URI."""
    large = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), PAPER)
    pen = _Pen(large, len(real))
    pen.axes()
    x = float(LEFT)
    for name, values, colour in (("real", real, REAL), ("generated", generated, GENERATED)):
        points = values if len(values) > 1 else [*values, *values]  # a line needs two
        pen.line([pen.at(epoch, value) for epoch, value in enumerate(points, 1)], colour, 2.0)
        x += 16 + pen.text((x, TOP / 2), f"on {name} pictures", colour)
    pen.text((x, TOP / 2), "dashed: against a perfect generator", GREY)
    small = large.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


class _Pen:
    """Draws on a picture that is SCALE times larger than its coordinates say."""

    def __init__(self, picture: Image.Image, epochs: int) -> None:
        self._draw = ImageDraw.Draw(picture)
        self._font = ImageFont.load_default(11 * SCALE)
        self._epochs = epochs

    def at(self, epoch: float, accuracy: float) -> Point:
        """Where an accuracy after so many epochs stands; the first epoch is at the left."""
        across = (epoch - 1) / max(1, self._epochs - 1)
        height = HEIGHT - TOP - BOTTOM
        return LEFT + across * (WIDTH - LEFT - RIGHT), TOP + (1 - accuracy) * height

    def axes(self) -> None:
        """Ticks, their lines, and the dashed one at a half."""
        for tick in TICKS:
            left, right = self.at(1, tick), self.at(max(2, self._epochs), tick)
            self.line([left, right], INK if tick == 0 else FAINT)
            self.text((left[0] - 6, left[1]), f"{tick:g}", anchor="rm")
        for epoch in sorted({1, (1 + self._epochs) // 2, self._epochs}):
            x, y = self.at(epoch, 0)
            self.line([(x, y), (x, y + 4)], INK)
            self.text((x, y + 12), str(epoch), anchor="mm")
        x, y = self.at(max(2, self._epochs), 0)
        self.text((x, y + 27), "epochs", GREY, "rm")
        _, y = self.at(1, PERFECT)
        for dash in range(LEFT, WIDTH - RIGHT, 10):
            self.line([(dash, y), (min(dash + 5, WIDTH - RIGHT), y)], GREY, 2.0)

    def line(self, points: Sequence[Point], colour: str, width: float = 1.0) -> None:
        """A line through the points."""
        enlarged = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(enlarged, fill=colour, width=round(width * SCALE), joint="curve")

    def text(self, point: Point, text: str, colour: str = INK, anchor: str = "lm") -> float:
        """Text at a point (Pillow's anchors); gives its width."""
        place = (point[0] * SCALE, point[1] * SCALE)
        self._draw.text(place, text, fill=colour, font=self._font, anchor=anchor)
        return self._font.getlength(text) / SCALE
