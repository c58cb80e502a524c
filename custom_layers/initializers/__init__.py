"""Initializers: the start values of weights, one file a kind."""

from custom_layers.initializers.random_draws import HeNormal  # noqa: F401  (likewise)
