"""The lab: claims that are measured, and the experiments they need."""
