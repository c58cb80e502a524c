"""Trials of a search: how each is run, kept, stopped and shown."""
