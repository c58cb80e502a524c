"""Reports on networks that listen: plain methods beside them, and what they hear."""
