"""Sentences whose words have tags: parts of speech, or names of things."""
