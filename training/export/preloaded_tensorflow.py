"""Imports TensorFlow without its start-up messages; preloaded by the fork server of `memory_usage`."""

from service.native_stderr import without_noise

with without_noise():
    import tensorflow as tf

__all__ = ["tf"]
