"""HTTP transport: connections, retries, server-sent events, sync and async."""
