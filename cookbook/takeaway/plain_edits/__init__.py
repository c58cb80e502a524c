"""Edits that make a recipe a plain script: rules, layout, and some wordings."""
