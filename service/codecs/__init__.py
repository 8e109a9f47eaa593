"""Conversions between bytes and arrays, one module per format. Pure functions without HTTP or models."""
