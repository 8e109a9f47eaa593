"""The served client that the benchmark of its overhead asks."""

from tests.clients.python.conftest import png_file, served

__all__ = ["png_file", "served"]
