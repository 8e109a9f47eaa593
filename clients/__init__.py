"""Programs that use the service over HTTP. They import neither the service nor the training."""
