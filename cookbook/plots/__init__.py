"""Pictures: curves, confusion matrices, samples, what a network looks at."""
