"""What is special about the plain scripts of the lab."""
