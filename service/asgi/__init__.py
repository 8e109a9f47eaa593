"""What any ASGI application needs: server, middleware, fast routing, requests and responses."""
