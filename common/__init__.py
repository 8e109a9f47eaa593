"""What training and serving share: reading image files. Imports neither of them."""
