"""A discrete-event simulation of many replicas: what docs/scaling.md calculates with."""
