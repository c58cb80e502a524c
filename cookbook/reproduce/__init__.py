"""Results measured again: which runs, in which order, and whether they agree."""
