"""Offline jobs: data set → model → train → evaluate → release → export. Never imported by the service."""
