"""Notebooks of the recipes, made from the scripts that `bundle` writes."""
