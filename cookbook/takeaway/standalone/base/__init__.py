"""What every script begins and ends with: settings, the run folder, the last line."""
