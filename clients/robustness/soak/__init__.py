"""Soak: long runs that show what the service does to hostile bytes, slow clients, swaps and stops."""
