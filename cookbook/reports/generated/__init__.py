"""Reports on what networks generate, and on what is done with it."""
