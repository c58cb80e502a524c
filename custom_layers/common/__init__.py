"""What components share and users need not know: checks, types, private Keras."""
