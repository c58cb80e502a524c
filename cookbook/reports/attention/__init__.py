"""Reports on networks with attention: where they look."""
