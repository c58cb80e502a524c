"""Losses, one file a kind of target."""
