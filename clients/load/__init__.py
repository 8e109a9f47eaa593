"""An open-loop load test of a running service, over HTTP only."""
