"""One image with examples of every case."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from clients.robustness.cases import Case

_THUMBNAIL, _GAP, _TEXT = 84, 4, 280
_GROUND = "#e8e8e8"
_EXAMPLES = 8


def save_contact_sheet(cases: Sequence[Case], file: Path) -> None:
    """Draw a row of examples for each distinct case, in two columns, as a PNG."""
    shown = list({(case.group, case.name): case for case in cases}.values())
    lines = [_line(case) for case in shown]
    half = -(-len(lines) // 2)
    width, height = lines[0].size
    sheet = Image.new("RGB", (2 * width, half * height), _GROUND)
    for place, line in enumerate(lines):
        sheet.paste(line, (place // half * width, place % half * height))
    sheet.save(file, "PNG")


def _line(case: Case) -> Image.Image:
    step = _THUMBNAIL + _GAP
    line = Image.new("RGB", (_TEXT + _EXAMPLES * step, step), _GROUND)
    label = f"{case.group}\n{case.name}".replace("×", "x")  # which Pillow's font lacks
    ImageDraw.Draw(line).text(
        (_GAP, step / 4), label, fill="black", font=ImageFont.load_default(14)
    )
    for place, content in enumerate(case.images(0, _EXAMPLES)[:_EXAMPLES]):
        line.paste(_thumbnail(content), (_TEXT + place * step, _GAP // 2))
    return line


def _thumbnail(content: Any) -> Image.Image:
    """A file's bytes or uint8 [H, W] → as it looks, transparency shown in pale blue."""
    is_file = isinstance(content, bytes)
    image = Image.open(io.BytesIO(content)) if is_file else Image.fromarray(np.asarray(content))
    seen = Image.new("RGBA", image.size, "#cfe3ff")
    seen.alpha_composite(image.convert("RGBA"))
    way = Image.Resampling.NEAREST if image.width < _THUMBNAIL else Image.Resampling.BOX
    return seen.convert("RGB").resize((_THUMBNAIL, _THUMBNAIL), way)
