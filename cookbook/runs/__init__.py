"""What every run relies on: how it is stopped, how it writes, what it was made with."""
