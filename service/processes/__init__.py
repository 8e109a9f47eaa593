"""Processes besides the one that answers HTTP."""
