"""What a plain script needs for a sentence encoder that others have trained."""
