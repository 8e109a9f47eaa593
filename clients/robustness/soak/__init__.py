"""Soak tests: long runs with hostile requests, slow clients, version swaps and stops."""
