"""What a plain script has in place of the cookbook: short, and with Keras's classes."""
