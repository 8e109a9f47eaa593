"""Parts for any ASGI application: server, middleware, fast routing, requests and responses."""
