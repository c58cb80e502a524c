"""Convolutions: standard, transposed, and separable with its depthwise half."""
