"""Sounds: recorded words, alone and joined to strings."""
