"""Pooling: a window, or a whole feature map, is summarized by one number."""
