"""The same service on Ray Serve: one deployment for each model version, the same routes in front."""
