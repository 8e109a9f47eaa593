"""One module a part of the API: parse, delegate, answer."""
