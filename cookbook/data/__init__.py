"""Data sets by name, split honestly; one file a kind of data."""
