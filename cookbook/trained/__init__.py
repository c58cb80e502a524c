"""Trained models: loading them, and networks that others trained."""
