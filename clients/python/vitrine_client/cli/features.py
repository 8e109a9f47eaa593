"""`features`: the feature matrix of many images, as a NumPy file."""

import argparse
import struct
import sys
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

from vitrine_client.cli.command import CHOICE, argument, command, output
from vitrine_client.cli.options import choice, print_body, report
from vitrine_client.cli.terminal import printable
from vitrine_client.client import Vitrine
from vitrine_client.errors import UnreadableImage
from vitrine_client.types import Vector

IMAGES_PER_REQUEST = 32
SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp", ".webp", ".gif", ".bmp", ".dib")
)
SHOWN = 5  # of the files that are left out


@command(
    "write the feature matrix of a folder's images",
    argument("folder", type=Path, help="folder of images, including subfolders"),
    output("X.npy"),
    *CHOICE,
)
def features(vitrine: Vitrine, options: argparse.Namespace) -> int:
    """float32 [N, D] in the order of the paths, which `OUTPUT.txt` lists; with --json, the answers.

    Nothing is written if an image is invalid; invalid ones are listed. Returns the exit status.
    """
    every = sorted(f for f in options.folder.rglob("*") if f.is_file())
    files = [file for file in every if file.suffix.lower() in SUFFIXES]
    if others := [str(file) for file in every if file.suffix.lower() not in SUFFIXES]:
        some_names = ", ".join(map(printable, others[:SHOWN]))
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        print(f"left out, no image by their endings: {some_names}{more}", file=sys.stderr)
    if not files:
        raise UnreadableImage(f"{options.folder} must be a folder with images, got no images")
    rows: list[Vector] = []
    status = 0
    for some in _chunks(files):
        answer = vitrine.images.features(some, on_error="report", **choice(options))
        if options.json:
            print_body(answer)
        status |= report(
            [str(file) for file in some], answer, answer.features, lambda _, row: rows.append(row)
        )
    if options.json or status:
        return status
    options.output.write_bytes(npy(rows))
    names = options.output.with_name(options.output.name + ".txt")
    lines = [str(file.relative_to(options.folder)) for file in files]
    names.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(
        f"{printable(str(options.output))}: {len(rows)} × {len(rows[0])} float32, rows as in {names}"
    )
    return 0


def npy(rows: Sequence[Vector]) -> bytes:
    """Rows of equal length → a NumPy file (format 1.0) of little-endian float32 [N, D]."""
    shape = (len(rows), len(rows[0]))
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    values = array("f", (value for row in rows for value in row))
    if struct.pack("=H", 1) != struct.pack("<H", 1):
        values.byteswap()
    return (
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values.tobytes()
    )


def _chunks(files: Sequence[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(files), IMAGES_PER_REQUEST):
        yield list(files[start : start + IMAGES_PER_REQUEST])
