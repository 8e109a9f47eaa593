"""From a trained model to `models/<name>/<version>/`: release, card, SavedModel."""
