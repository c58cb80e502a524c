"""Reports on networks that map images to vectors."""
