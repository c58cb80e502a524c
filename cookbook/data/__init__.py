"""Data sets by name, in three parts; one file for each kind of data."""
