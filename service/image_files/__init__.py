"""Reads image files in the same way for training and serving."""
