"""Image files → pixel arrays.

An image is opened first (only its header), so that the caller can check `pixels` before anything
is decoded: twenty kilobytes can contain 400 million pixels. The readers of the five formats are listed
here instead of calling `PIL.Image.open`, whose own pixel limit raises or warns and would have to be
switched off for the whole process.
"""

import io
import struct
from dataclasses import dataclass

import numpy as np
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import DecompressionBombError, DecompressionBombWarning, Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from service.codecs.sniffing import describe, image_format
from service.errors import ImageTooLarge, InvalidImage, UnsupportedImage
from service.image_files.decoding_cost import Cost, TooManyPieces, count_pieces, estimate_cost
from service.image_files.image_metadata import strip_metadata
from service.image_files.parts import PNG_SIGNATURE
from service.image_files.plain_jpeg import PlainJpeg, read_plain_jpeg
from service.image_files.plain_png import PlainPng, read_plain_png
from service.image_files.raster import Pixels, rasterize, upright

MAX_ASPECT = 10_000  # 1 × 5,000 is an unusual image, 1 × 50,000 an attack on the resizing
MAX_PIECES = 20_000  # chunks, segments and blocks of the images of a request
_MAX_READS = 250_000


class _ReadLimitedBytesIO(io.BytesIO):
    """Stops reading files of a million tiny parts, which Pillow parses in Python."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > _MAX_READS:
            raise OSError("the file has too many pieces")
        return super().read(size)


_READERS: dict[str, type[ImageFile]] = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "WebP": WebPImageFile,
    "GIF": GifImageFile,
    "BMP": BmpImageFile,
}


NO_COST = Cost()


@dataclass(slots=True)
class OpenedImage:
    """An opened image that is not decoded yet; `width` and `height` are those of the file.

    `source` is Pillow's opened file, the bytes of a WebP (whose decoder takes the memory of the
    whole image when it opens), a PNG or JPEG that needs no reader, or, for pixels given as JSON, uint8
    [H, W, 1 or 3].
    """

    width: int
    height: int
    source: ImageFile | bytes | PlainPng | PlainJpeg | Pixels
    orientation: int = 1  # EXIF's, 1 to 8
    cost: Cost = NO_COST

    @classmethod
    def from_array(cls, pixels: Pixels) -> "OpenedImage":
        """Wrap pixels that need no decoding: uint8 [H, W, 1] or [H, W, 3]."""
        return cls(pixels.shape[1], pixels.shape[0], pixels)

    @property
    def pixels(self) -> int:
        """The number of decoded pixels."""
        return self.width * self.height

    def decode(self, at_least: int | None = None, *, grey: bool = False) -> Pixels:
        """Decode upright, on white, first frame only.

        Args:
            at_least: a JPEG may come out at 1/2, 1/4 or 1/8 of its size as long as its shorter side
                has this many pixels; that costs a fraction of the time. Counts the first time.
            grey: colour may be converted to luminance, for callers that need grey anyway.

        Returns:
            uint8 [H, W, 1] for a grey image, else [H, W, 3]; may be read-only.

        Raises:
            InvalidImage: the file is truncated or corrupt.
        """
        if isinstance(self.source, np.ndarray):
            return self.source
        try:
            decoded = self._decoded(at_least, grey)
            if isinstance(decoded, np.ndarray):
                return upright(decoded, self.orientation)
            return rasterize(decoded, self.orientation, grey=grey)
        except Exception as error:
            message = f"the {self._format} is truncated or corrupt: its pixels cannot be decoded"
            raise InvalidImage(message) from error

    @property
    def _format(self) -> str | None:
        if isinstance(self.source, PlainPng | PlainJpeg):
            return "PNG" if isinstance(self.source, PlainPng) else "JPEG"
        return self.source.format if isinstance(self.source, ImageFile) else "WebP"

    def _decoded(self, at_least: int | None, grey: bool) -> Image | Pixels:
        """Pillow's image, decoded or not, or the pixels of a plain PNG."""
        if isinstance(self.source, PlainPng):
            try:
                return self.source.decode(grey=grey)
            except ValueError:  # the reader accepts some damaged files
                return PngImageFile(_ReadLimitedBytesIO(self.source.content))
        if isinstance(self.source, bytes):
            image = WebPImageFile(io.BytesIO(self.source))
            if image.size != (self.width, self.height):
                raise ValueError("the header states another size")
            return image
        source = self.source
        if isinstance(source, PlainJpeg):
            try:
                return source.decode(at_least, grey=grey)
            except ValueError:  # the reader decides what is wrong with it
                source = JpegImageFile(_ReadLimitedBytesIO(source.content))
        assert isinstance(source, ImageFile)
        if at_least and isinstance(source, JpegImageFile):
            source.draft(None, (at_least, at_least))
        return source


def open_image(content: bytes, max_pieces: int = MAX_PIECES) -> OpenedImage:
    """Open a PNG, JPEG, WebP, GIF or BMP without decoding it, and estimate the cost of decoding.

    Raises:
        UnsupportedImage: the bytes are not one of these formats.
        InvalidImage: they are, but the header is damaged, or one side is more than `MAX_ASPECT`
            times the other.
        ImageTooLarge: a GIF's frame is so large that Pillow refuses even to open it, or the file
            is cut into more than `max_pieces`.
    """
    name = image_format(content)
    if name is None:
        message = f"an image must be a PNG, JPEG, WebP, GIF or BMP, got {describe(content)}"
        raise UnsupportedImage(message)
    if _is_mangled(content):
        raise InvalidImage(
            f"the {name} must be sent unchanged, got it without its line ends, as curl -d @file sends it: "
            "use --data-binary @file"
        )
    plain = read_plain_png(content) if name == "PNG" else None
    if plain and plain.chunks <= max_pieces:
        image = _opened_plain(plain)
        image.cost = estimate_cost(name, content, image.pixels, plain.chunks)
    else:
        image = _open_stripped(name, content, max_pieces)
    if max(image.width, image.height) > MAX_ASPECT * min(image.width, image.height):
        raise InvalidImage(
            f"one side of the {name} must be at most {MAX_ASPECT:,} times the other, "
            f"got {image.width} × {image.height} pixels"
        )
    return image


def _open_stripped(name: str, content: bytes, max_pieces: int) -> OpenedImage:
    """Open a file whose metadata was removed."""
    pieces = 0
    try:
        pieces = count_pieces(name, content, max_pieces)
        needed, orientation = strip_metadata(content)
        image = _opened(name, needed)
        image.orientation = orientation
        image.cost = estimate_cost(name, needed, image.pixels, pieces)
    except TooManyPieces as error:
        raise ImageTooLarge(
            f"the images of a request must have at most {MAX_PIECES:,} chunks and segments together, "
            f"got a {name} with more"
        ) from error
    except (DecompressionBombError, DecompressionBombWarning) as error:
        raise ImageTooLarge(f"the {name} has far too many pixels") from error
    except Exception as error:
        message = f"the {name} is truncated or corrupt: its header cannot be read"
        problem = InvalidImage(f"{message} (got {len(content)} bytes)")
        problem.pieces = pieces
        raise problem from error
    return image


def _is_mangled(content: bytes) -> bool:
    """Detect a file sent with `curl -d @file`: no CR, no LF, in newer versions no NUL."""
    if content.startswith(PNG_SIGNATURE):
        return False
    if content.startswith(b"\x89PNG") and content[:8] != PNG_SIGNATURE[: len(content)]:
        return True
    return len(content) > 64 and not any(byte in content for byte in b"\0\r\n")


def _opened(name: str, content: bytes) -> OpenedImage:
    if name == "WebP":
        return _opened_webp(content)
    reader = {"PNG": read_plain_png, "JPEG": read_plain_jpeg}.get(name)
    if reader and (plain := reader(content)):
        return _opened_plain(plain)
    # Run-length encoded BMP files are read a byte at a time; their cost is estimated by their length.
    image = _READERS[name](io.BytesIO(content) if name == "BMP" else _ReadLimitedBytesIO(content))
    return OpenedImage(image.width, image.height, image)


def _opened_plain(plain: PlainPng | PlainJpeg) -> OpenedImage:
    return OpenedImage(plain.width, plain.height, plain)


def _opened_webp(content: bytes) -> OpenedImage:
    """Read the size of a WebP from the header of its first chunk."""
    chunk = content[12:16]
    if chunk == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
    elif chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
    if len(content) < 30 or not width or not height:
        raise ValueError("no image inside")
    return OpenedImage(width, height, content)
