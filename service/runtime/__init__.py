"""Models in memory: manifest, loaded version, repository of versions."""
