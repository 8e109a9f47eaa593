"""One module a task: images or texts → arrays, arrays → the answer."""
