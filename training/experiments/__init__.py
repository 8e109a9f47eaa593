"""Comparisons that are run by hand and reported in the docs."""
