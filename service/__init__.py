"""Serves exported SavedModels over HTTP; never trains."""

__version__ = "0.1.0"
