"""Normalization: by mean and variance (moments.py), by a norm (norms.py)."""
