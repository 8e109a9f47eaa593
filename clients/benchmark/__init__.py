"""Measures the service beside the raw model and beside other servers, in one run."""
