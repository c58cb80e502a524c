"""Changes of a script's text: made as a whole or not at all."""
