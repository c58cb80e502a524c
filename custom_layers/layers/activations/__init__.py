"""Activations as layers, for those that have weights, saved options or a mask."""
