"""Draws latency and throughput over load as one PNG, with nothing but Pillow; knows no HTTP.

Two panels for each scenario, beside each other: latency (logarithmic; median as a line, 99th percentile
as a thin one) and right answers per second (with the diagonal on which they would be as many as were
asked for). One colour for each target; the knee is a vertical line with its rate.
"""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from PIL import Image, ImageColor, ImageDraw, ImageFont

from clients.load.ladder import knee
from clients.load.step_summary import Step

SCALE = 2  # drawn larger, then shrunk: soft edges
PANEL_WIDTH, PANEL_HEIGHT = 400, 210
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 30, 34  # around a panel's axes
HEAD = 26
COLOURS = ("#1f5fa8", "#c2571a", "#2f8a4c", "#8a3fa0", "#a02f4c", "#5f6b00")
INK, GREY, FAINT, PAPER = "#222222", "#666666", "#d8d8d8", "#ffffff"
TICKS = 4
SHADES = 5  # of each colour towards paper, for soft edges in a small palette

Curves = Mapping[str, Sequence[Step]]  # by target
Point = tuple[float, float]


class Scale(NamedTuple):
    """From values to a place on an axis, 0 to 1, and the ticks people read."""

    place: Callable[[float], float]
    ticks: tuple[float, ...]


def draw(charts: Mapping[str, Curves]) -> bytes:
    """Scenario → target → steps, as a PNG."""
    names = list(dict.fromkeys(name for curves in charts.values() for name in curves))
    height = HEAD + PANEL_HEIGHT * len(charts)
    picture = Image.new("RGB", (2 * PANEL_WIDTH * SCALE, height * SCALE), PAPER)
    pen = Pen(picture)
    _draw_legend(pen, names)
    for row, (scenario, curves) in enumerate(charts.items()):
        top = HEAD + row * PANEL_HEIGHT
        colours = {name: COLOURS[names.index(name) % len(COLOURS)] for name in curves}
        _draw_panel(pen, (0, top), f"{scenario}: latency, ms", curves, colours)
        _draw_panel(pen, (PANEL_WIDTH, top), f"{scenario}: right answers/s", curves, colours)
    small = picture.resize((2 * PANEL_WIDTH, height), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    small.quantize(palette=_palette(), dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    return content.getvalue()


def _palette() -> Image.Image:
    """The colours used here, each in a few shades; a small palette makes a small file."""
    palette = Image.new("P", (1, 1))
    paper = ImageColor.getrgb(PAPER)
    palette.putpalette(
        [
            round(paper[channel] + (colour[channel] - paper[channel]) * shade / SHADES)
            for colour in map(ImageColor.getrgb, (*COLOURS, INK, GREY, FAINT, PAPER))
            for shade in range(1, SHADES + 1)
            for channel in range(3)
        ]
    )
    return palette


class Pen:
    """Draws on a picture that is SCALE times larger than its coordinates say."""

    def __init__(self, picture: Image.Image) -> None:
        self._draw = ImageDraw.Draw(picture)
        self._font = ImageFont.load_default(11 * SCALE)

    def line(self, points: Sequence[Point], colour: str, width: float = 1.0) -> None:
        """A line through the points."""
        enlarged = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(enlarged, fill=colour, width=round(width * SCALE), joint="curve")

    def dot(self, point: Point, colour: str) -> None:
        """A small disc."""
        x, y, r = point[0] * SCALE, point[1] * SCALE, 2.5 * SCALE
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def text(self, point: Point, text: str, colour: str = INK, anchor: str = "lm") -> float:
        """Text at a point (Pillow's anchors); gives its width."""
        place = (point[0] * SCALE, point[1] * SCALE)
        self._draw.text(place, text, fill=colour, font=self._font, anchor=anchor)
        return self._font.getlength(text) / SCALE


def linear(largest: float) -> Scale:
    """From 0 to a little more than the largest value."""
    step = _round_step(largest / TICKS)
    top = step * math.ceil(largest / step)
    ticks = tuple(step * number for number in range(round(top / step) + 1))
    return Scale(lambda value: min(value / top, 1.0), ticks)


def logarithmic(smallest: float, largest: float) -> Scale:
    """Whole powers of ten around the values."""
    low = math.floor(math.log10(smallest))
    high = max(math.ceil(math.log10(largest)), low + 1)
    ticks = tuple(10.0**power for power in range(low, high + 1))
    return Scale(lambda value: (math.log10(value) - low) / (high - low), ticks)


def _draw_legend(pen: Pen, names: Sequence[str]) -> None:
    x = float(LEFT)
    for name, colour in zip(names, COLOURS * len(names), strict=False):
        pen.line([(x, HEAD / 2), (x + 18, HEAD / 2)], colour, 2.5)
        x += 24 + pen.text((x + 24, HEAD / 2), name) + 22
    pen.text((x, HEAD / 2), "thick: median · thin: 99th percentile · vertical: the knee", GREY)


def _draw_panel(
    pen: Pen, corner: Point, title: str, curves: Curves, colours: Mapping[str, str]
) -> None:
    is_latency = title.endswith("ms")
    every = [step for steps in curves.values() for step in steps if step.latency_ms]
    left, top = corner[0] + LEFT, corner[1] + TOP
    width, height = PANEL_WIDTH - LEFT - RIGHT, PANEL_HEIGHT - TOP - BOTTOM
    pen.text((left, corner[1] + TOP - 12), title)
    if not every:
        pen.text((left, top + height / 2), "no right answer")
        return
    across = linear(max(step.rate for step in every))
    latencies = [step.latency_ms[key] for step in every for key in ("p50", "p99")]
    up = logarithmic(min(latencies), max(latencies)) if is_latency else across

    def at(x: float, y: float) -> Point:
        return left + across.place(x) * width, top + height - up.place(y) * height

    _draw_axes(pen, across, up, at)
    if not is_latency:
        pen.line([at(0, 0), at(across.ticks[-1], across.ticks[-1])], FAINT, 1.5)
    for name, steps in curves.items():
        _draw_knee(pen, steps, colours[name], at, up)
        _draw_curve(pen, steps, colours[name], at, is_latency)


def _draw_axes(pen: Pen, across: Scale, up: Scale, at: Callable[[float, float], Point]) -> None:
    bottom = up.ticks[0]
    for tick in up.ticks:
        pen.line([at(0, tick), at(across.ticks[-1], tick)], FAINT)
        x, y = at(0, tick)
        pen.text((x - 6, y), f"{tick:,g}", anchor="rm")
    for tick in across.ticks:
        x, y = at(tick, bottom)
        pen.line([(x, y), (x, y + 4)], INK)
        pen.text((x, y + 12), f"{tick:,g}", anchor="mm")
    pen.line([at(0, bottom), at(across.ticks[-1], bottom)], INK)
    x, y = at(across.ticks[-1], bottom)
    pen.text((x, y + 25), "requests due per second", GREY, "rm")


def _draw_curve(
    pen: Pen,
    steps: Sequence[Step],
    colour: str,
    at: Callable[[float, float], Point],
    is_latency: bool,
) -> None:
    drawn = [step for step in steps if step.latency_ms]
    if is_latency:
        pen.line([at(step.rate, step.latency_ms["p99"]) for step in drawn], colour, 0.75)
    places = [
        at(step.rate, step.latency_ms["p50"] if is_latency else step.right_per_s) for step in drawn
    ]
    pen.line(places, colour, 2.0)
    for place in places:
        pen.dot(place, colour)


def _draw_knee(
    pen: Pen, steps: Sequence[Step], colour: str, at: Callable[[float, float], Point], up: Scale
) -> None:
    bend = knee(steps)
    if bend is None:
        return
    (x, bottom), (_, top) = at(bend.rate, up.ticks[0]), at(bend.rate, up.ticks[-1])
    for y in range(round(top), round(bottom), 8):
        pen.line([(x, y), (x, y + 4)], colour)
    pen.text((x + 4, top + 7), f"{bend.rate:,g}/s", colour)


def _round_step(step: float) -> float:
    """The next of 1, 2, 2.5, 5 or 10 times a power of ten."""
    if step <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * 0.999)
