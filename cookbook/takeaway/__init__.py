"""What users take with them: copied components, and recipes as one file or notebook."""
