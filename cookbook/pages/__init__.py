"""Pages: the index of components and the table of results."""
