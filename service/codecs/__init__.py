"""Bytes ↔ arrays, one module a medium; pure functions that know no HTTP and no model."""
