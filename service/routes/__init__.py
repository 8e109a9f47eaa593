"""The routes, one module per part of the API: parse, delegate, answer."""
