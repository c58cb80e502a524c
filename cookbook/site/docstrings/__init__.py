"""Docstrings of components, as the site reads and typesets them."""
