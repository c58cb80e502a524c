"""Answers of trained models: in Python, on the command line, and on labelled data."""
