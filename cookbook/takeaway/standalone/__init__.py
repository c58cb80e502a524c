"""Short forms of what recipes share, for scripts that need nothing of the cookbook."""
