"""What a script says about itself: its definitions, calls, types and attributes."""
