"""Recurrent cells (one step) and the layers that run them over a sequence."""
