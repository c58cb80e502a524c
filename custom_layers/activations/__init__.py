"""Activations: the non-linearities between layers, one file a kind."""

from custom_layers.activations.rectifiers import ReLU  # noqa: F401  (until recipes name the file)
