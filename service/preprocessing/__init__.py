"""Image preprocessing: converts a user's image to the format of a network's training set."""
