"""Variational autoencoders: model, training, signatures, evaluation."""
