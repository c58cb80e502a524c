"""Strategies of a search: how the settings of the next trial are chosen."""
