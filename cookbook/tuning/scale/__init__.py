"""Searches in several processes, on several machines, and on a cluster."""
