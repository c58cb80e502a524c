"""Layers that vary images at random in training, and do nothing in inference."""
