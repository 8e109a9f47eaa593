"""Image preprocessing: a user's image to the form a network was trained on."""
