"""Activations: the non-linearities between layers, one file a kind."""
