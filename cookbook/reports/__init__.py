"""Reports: what a finished training measures, draws and prints."""
