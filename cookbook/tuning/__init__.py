"""Hyperparameter search, in one process or in several."""
