"""What a search found: its table, its pictures, and what mattered."""
