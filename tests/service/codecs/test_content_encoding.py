import gzip
import zlib

import pytest

from service.codecs.content_encoding import choose_encoding, compress


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", ""),
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip, deflate, br", "gzip"),
        ("gzip;q=0.2, deflate;q=0.8", "deflate"),
        ("gzip;q=0, deflate;q=0.0", ""),
        ("gzip ; q=1.000", "gzip"),
        ("GZIP;Q=0.5", "gzip"),
        ("identity, gzip;q=0.5", ""),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("br, zstd, *", ""),
        ("gzip;q=2, deflate;q=nan", ""),
        (",;=,;q", ""),
    ],
)
def test_the_preferred_encoding_of_those_we_write_is_chosen(accepted, chosen):
    assert choose_encoding(accepted) == chosen


@pytest.mark.parametrize(
    ("encoding", "read"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)]
)
def test_what_is_compressed_is_read_by_others(encoding, read):
    body = bytes(range(256)) * 40

    compressed = compress(body, encoding)

    assert len(compressed) < len(body) / 4
    assert read(compressed) == body
