"""Live models: finished runs as files with which a page answers in the browser."""
