"""Compares the service with the raw model and with other servers, in one run."""
