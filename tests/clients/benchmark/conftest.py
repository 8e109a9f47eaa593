"""The fixtures of the Python client's tests: a running service and an image file."""

from tests.clients.python.conftest import png_file, served

__all__ = ["png_file", "served"]
