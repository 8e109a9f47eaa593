"""Displays answers and the page in notebooks. HTML only; needs no package."""

import base64
import html
import os
from dataclasses import dataclass, fields, is_dataclass
from typing import Any
from urllib.parse import urlencode

from vitrine_client._transport.connection import DEFAULT_URL

SHOWN_VALUES = 12  # of a list of numbers
PNG_SIGNATURE = b"\x89PNG"


@dataclass(frozen=True)
class Frame:
    """A section of the page in a notebook cell; the service must allow it (VITRINE_FRAME_ANCESTORS)."""

    address: str
    height: int

    def _repr_html_(self) -> str:
        source = html.escape(self.address)
        return (
            f'<iframe src="{source}" width="100%" height="{self.height}" style="border:0"></iframe>'
        )


def show(section: str, *, url: str | None = None, height: int = 720, **state: object) -> Frame:
    """Show a section of the page, such as "digits".

    Args:
        section: "digits", "text", "labels", "vae", "gan", "models" or "course".
        url: The page's address for the browser; default: VITRINE_URL. Behind a hub's proxy it is
            a path such as "/proxy/8000/".
        height: Of the frame, in CSS pixels.
        state: The section's state in the address, such as random_seed=7.
    """
    base = url or os.environ.get("VITRINE_URL") or DEFAULT_URL
    query = f"?{urlencode(state)}" if state else ""
    return Frame(f"{base.rstrip('/')}/#{section}{query}", height)


def answer_html(answer: Any) -> str:
    """An answer as HTML: images, tables for lists, and text."""
    found = [(each, getattr(answer, each.name)) for each in fields(answer) if each.name != "body"]
    rows = [
        f"<tr><th style='text-align:left;vertical-align:top'>{html.escape(each.name)}</th>"
        f"<td style='text-align:left'>{_value(value)}</td></tr>"
        for each, value in found
        if value is not None and (each.repr or not isinstance(value, str))  # tokens are not shown
    ]
    return f"<table>{''.join(rows)}</table>"


def _value(value: Any) -> str:
    if isinstance(value, bytes):
        return _image(value)
    if hasattr(value, "parse") and is_dataclass(value):  # a model version has its own short form
        return html.escape(str(value))
    if is_dataclass(value):
        return answer_html(value)
    if isinstance(value, tuple) and value and isinstance(value[0], (int, float)):
        return html.escape(_numbers(value))
    if isinstance(value, tuple):
        separator = "" if value and isinstance(value[0], bytes) else "<br>"
        return separator.join(map(_value, value))
    if isinstance(value, str):
        return f"<span style='white-space:pre-wrap'>{html.escape(value)}</span>"
    return html.escape(f"{value:.4g}" if isinstance(value, float) else str(value))


def _image(content: bytes) -> str:
    if not content.startswith(PNG_SIGNATURE):
        return f"{len(content)} bytes"
    source = base64.b64encode(content).decode()
    return f'<img src="data:image/png;base64,{source}" style="image-rendering:pixelated;min-width:56px;margin:2px" alt="">'


def _numbers(values: tuple[float, ...]) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values[:SHOWN_VALUES])
    return f"{shown}, … ({len(values)} values)" if len(values) > SHOWN_VALUES else shown
