"""Processes beside the one that answers HTTP."""
