"""Generative adversarial networks: the model, the kinds of loss, the penalty."""
