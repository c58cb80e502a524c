"""Short forms of components that a script needs only in part."""
