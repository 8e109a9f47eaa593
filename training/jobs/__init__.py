"""One module a recipe, each with the functions of `training.job.Job`."""
