"""Import of a user's own Keras model."""
