"""Layers that turn sound into pictures of its frequencies."""
