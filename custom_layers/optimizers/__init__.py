"""Optimizers, one file an idea, each class adding one term to the one above it."""
