"""What all recipes share: command line, data, training, tuning, pictures."""
