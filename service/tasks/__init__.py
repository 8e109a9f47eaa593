"""Task logic, one module per task: images or text → arrays, arrays → answer."""
