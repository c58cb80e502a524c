"""What plain scripts need for words: counts of them, and an encoder of sentences."""
