"""Short forms of attention and of what takes its place."""
