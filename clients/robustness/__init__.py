"""The robustness report card of a digit model, measured over HTTP as users meet it."""
