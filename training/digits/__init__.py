"""Digit classification: model, training, evaluation, outlier score."""
