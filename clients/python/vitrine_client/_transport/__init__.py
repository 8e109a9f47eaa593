"""How requests leave and responses are read: HTTP, retries, server-sent events, sync and async."""
