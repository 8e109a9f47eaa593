"""Writes the page as static files that need no service: the graphs run in the browser."""
