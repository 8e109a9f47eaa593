"""Load test and benchmark of a running service; both talk to nothing but its HTTP contract."""
