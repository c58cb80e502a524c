"""Layers that change their input at random in training, and do nothing in inference."""
