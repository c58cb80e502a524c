"""Spaces of a search: what a recipe declares, and what --space changes."""
