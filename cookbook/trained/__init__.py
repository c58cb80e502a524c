"""Trained models: those of finished runs, those of others, and files from anyone."""
