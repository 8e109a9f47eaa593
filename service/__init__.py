"""Serves exported models over HTTP. Contains no training code."""

__version__ = "0.1.0"
