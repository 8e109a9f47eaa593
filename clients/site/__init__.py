"""Writes the page as static files without a service: the graphs run in the browser."""
