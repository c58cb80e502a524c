"""Sentence encoders that others have trained: their pieces, weights and vectors."""
