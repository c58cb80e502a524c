"""Attention layers: dot product and additive, multi-head and grouped-query."""
