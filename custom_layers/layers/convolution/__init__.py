"""Convolutions: standard, transposed, depthwise and separable."""
