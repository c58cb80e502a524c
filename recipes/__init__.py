"""Runnable recipes: `python recipes/mnist_cnn.py`, or `python -m cookbook list`."""
