"""The service on Ray Serve: one deployment per model version, with the same routes in front."""
