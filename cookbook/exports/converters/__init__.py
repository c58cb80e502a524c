"""What writes a network in another format, reads it again, and which packages do so."""
