"""Initializers: the start values of weights, one file a kind."""
