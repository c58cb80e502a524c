"""Generative adversarial networks: the model, its kinds of loss, its penalty."""
