"""Requests and answers as pydantic models, one module per task: they parse, and they make the OpenAPI document."""
