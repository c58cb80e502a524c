"""Text as data: words, characters, subwords, sums."""
