"""The OpenAPI document, one module per task."""
