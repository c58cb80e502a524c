"""The demo: a local page in the browser on which one asks a trained model."""
