"""The robustness report of a digit model, measured over HTTP."""
