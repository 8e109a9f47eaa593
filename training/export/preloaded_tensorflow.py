"""TensorFlow, imported without its start-up lines; the server that `memory_usage` forks from preloads this module."""

from service.native_stderr import without_noise

with without_noise():
    import tensorflow as tf

__all__ = ["tf"]
