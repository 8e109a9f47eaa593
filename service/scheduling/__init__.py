"""Who runs when: batching, admission control, the projection queue."""
