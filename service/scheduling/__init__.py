"""Scheduling of runs: batching, admission control, queues."""
