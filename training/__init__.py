"""Offline jobs: data set → model → training → evaluation → release → export. Not imported by the service."""
