"""Diffusion models: levels of noise, the model, and its way from noise to samples."""
