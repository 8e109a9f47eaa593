"""One module a task: pictures or texts → arrays, arrays → the answer."""
