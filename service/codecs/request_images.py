"""A request body → opened images, in all supported forms.

Raw bytes, a form with files, JSON with base64 or JSON with pixels. The limits are checked here,
before anything is decoded.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from service.codecs import number_lists
from service.codecs.base64_images import decode_base64
from service.codecs.image import MAX_PIECES, OpenedImage, open_image
from service.codecs.json_fields import parse_json
from service.codecs.json_size import check_json_size
from service.codecs.multipart import read_fields, read_files
from service.codecs.pixel_lists import from_pixels, kind_of
from service.codecs.sniffing import excerpt, image_format
from service.codecs.tensor_types import Array
from service.errors import (
    ImageTooLarge,
    InvalidImage,
    InvalidRequest,
    InvalidValue,
    TooManyImages,
    UnsupportedImage,
)
from service.image_files.parts import PNG_SIGNATURE

_JSON = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\0 \t\r\n]{0,999}[\[{]")  # UTF-16 too
_FORM_FIELD = re.compile(rb"[\w.\[\]%+-]{1,100}=")
MAX_BYTES_A_PIXEL = 8  # of the decoders' memory: all formats but WebP take less
WEBP_BYTES_A_PIXEL = 16
LEAST_NANOSECONDS = 200_000_000
MAX_NANOSECONDS_A_PIXEL = 80  # 2 s for 25 megapixels; ordinary images take at most half of it
_UNNAMED = nullcontext()
_FIELDS = ("image", "images", "instances")
_EXPECTED = '{"image": "<base64>"}, {"images": […]} or {"instances": [rows of pixels, …]}'


def read_images(
    body: bytes,
    content_type: str,
    *,
    max_pixels: int,
    max_images: int,
    max_json_values: int,
    failures: dict[int, InvalidRequest] | None = None,
) -> list[OpenedImage]:
    """Find and open the images of a request; none is decoded.

    Args:
        body: the whole body.
        content_type: the header's value, "" if absent; only a form needs it, JSON and images are
            known by their bytes.
        max_pixels: maximum pixels of all images together.
        max_images: maximum number of images.
        max_json_values: maximum values in a JSON body.
        failures: if given, errors of invalid images are stored here by index, from 0.

    Returns:
        At least one image, in the order of the request; with `failures`, those that could be opened.

    Raises:
        InvalidRequest: or a subclass; with several images the message names one ("image 3: …").
    """
    if body.startswith(PNG_SIGNATURE):
        sources: Sequence[Any] | Array = [body]
    elif _JSON.match(body):
        check_json_size(body, max_json_values)
        sources = _from_json(body, content_type)
    elif content_type.lstrip()[:10].lower() == "multipart/" and image_format(body) is None:
        sources = read_files(body, content_type, max_images)
    elif _FORM_FIELD.match(body) and "urlencoded" in content_type.lower():
        sources = read_fields(body, max_images)
    elif body:
        sources = [body]
    else:
        raise UnsupportedImage(
            "the body must be a PNG, JPEG, WebP, GIF or BMP, a form with files or "
            f"{_EXPECTED}, got nothing: it is empty"
        )
    if len(sources) > max_images:
        raise TooManyImages(f"a request must have at most {max_images} images, got {len(sources)}")
    images = _open_all(sources, failures)
    check_pixels(images, max_pixels)
    return images


def _open_all(
    sources: Sequence[Any] | Array, failures: dict[int, InvalidRequest] | None
) -> list[OpenedImage]:
    images: list[OpenedImage] = []
    pieces_left = MAX_PIECES
    for place, source in enumerate(sources):
        with naming_image(place + 1, len(sources)):
            try:
                images.append(open_source(source, pieces_left))
                pieces_left -= images[-1].cost.pieces
            except (InvalidImage, InvalidValue, UnsupportedImage) as error:
                if failures is None:
                    raise
                failures[place] = error
                pieces_left -= getattr(error, "pieces", 0)
    return images


def naming_image(number: int, count: int) -> AbstractContextManager[None]:
    """Prefix errors raised inside with "image 3: ", if there are several images."""
    return _UNNAMED if count == 1 else _naming(number)


@contextmanager
def _naming(number: int) -> Iterator[None]:
    try:
        yield
    except InvalidRequest as error:
        raise type(error)(f"image {number}: {error}") from error


def check_pixels(images: list[OpenedImage], max_pixels: int) -> None:
    """ImageTooLarge if all images together have more pixels, or take too long to decode."""
    total = sum([image.pixels for image in images])
    if total <= max_pixels:
        _check_cost(images, max_pixels)
        return
    if len(images) == 1:
        given = f"{images[0].width} × {images[0].height} = {total:,}"
    else:
        given = f"{total:,} in {len(images)} images"
    raise ImageTooLarge(
        f"the images of a request must have at most {max_pixels:,} pixels, got {given}: send smaller ones"
    )


def _check_cost(images: list[OpenedImage], max_pixels: int) -> None:
    """Refuse images that need more memory or time than ordinary ones of that many pixels."""
    if sum([image.cost.bytes for image in images]) > max_pixels * MAX_BYTES_A_PIXEL:
        raise ImageTooLarge(
            "the WebP images of a request must have at most "
            f"{max_pixels * MAX_BYTES_A_PIXEL // WEBP_BYTES_A_PIXEL:,} pixels, got more (their decoder "
            "takes more memory than others): send smaller images, or JPEG"
        )
    nanoseconds = sum([image.cost.nanoseconds for image in images])
    most = max(LEAST_NANOSECONDS, max_pixels * MAX_NANOSECONDS_A_PIXEL)
    if nanoseconds > most:
        raise ImageTooLarge(
            f"the images of a request must take at most {most / 1e9:.3g} s to decode, got about "
            f"{nanoseconds / 1e9:.3g} s (each scan of a JPEG counts): send smaller ones, or baseline JPEG"
        )


def open_source(source: Any, max_pieces: int = MAX_PIECES) -> OpenedImage:
    """Open one image: bytes of a file, base64, {"b64": base64} or rows of pixels."""
    if isinstance(source, bytes):
        return open_image(source, max_pieces)
    if isinstance(source, dict) and source.keys() == {"b64"}:
        source = source["b64"]
    if isinstance(source, str):
        return open_image(decode_base64(source), max_pieces)
    if isinstance(source, list | np.ndarray):
        return OpenedImage.from_array(from_pixels(source))
    raise InvalidValue(f"an image must be base64 or rows of pixels, got {kind_of(source)}")


def _from_json(body: bytes, content_type: str) -> Sequence[Any] | Array:
    document = parse_json(body, content_type, number_lists.loads)
    if isinstance(document, list | np.ndarray):
        raise InvalidValue(f"the body must be {_EXPECTED}, got a bare list")
    for name in document:
        if name not in _FIELDS:
            raise InvalidValue(f"a field must be one of {', '.join(_FIELDS)}, got {excerpt(name)}")
    if len(document) != 1:
        given = " and ".join(document) or "an empty object"
        raise InvalidValue(f"the body must have exactly one of {', '.join(_FIELDS)}, got {given}")
    ((name, value),) = document.items()
    return [value] if name == "image" else _checked_list(name, value)


def _checked_list(name: str, value: Any) -> Sequence[Any] | Array:
    if isinstance(value, np.ndarray) and value.ndim != 2:
        return value
    if not isinstance(value, list | np.ndarray):
        raise InvalidValue(f'"{name}" must be a list, got {kind_of(value)}')
    if not len(value):
        raise InvalidValue(f'"{name}" must have at least one image, got an empty list')
    first = value[0]
    if isinstance(first, list | np.ndarray) and len(first) and not isinstance(first[0], list):
        raise InvalidValue(
            f'"{name}" must be a list of images, [N][H][W], got a single one: put [ ] around it'
        )
    return value
