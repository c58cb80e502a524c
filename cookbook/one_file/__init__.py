"""One file from many: definitions and all that they use, read but never imported."""
