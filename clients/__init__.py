"""Programs that talk to the service over HTTP; they import neither it nor the training."""
