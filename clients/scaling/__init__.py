"""A discrete-event simulation of many replicas, used in docs/scaling.md."""
