"""Normalization by mean and variance (batch, layer, group, RMS) or by a norm (others).

Each of the first kind has a plain function that reads like its paper, beside the layer
that runs `fast_normalization`, whose gradient is computed in closed form.
"""
