"""Texts as data: words, characters, subwords, sums."""
