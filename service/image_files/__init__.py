"""Reads image files alike for training and serving; training imports nothing else of the service."""
