"""Training: the loop, the run folder, saves, and resuming after a kill."""
