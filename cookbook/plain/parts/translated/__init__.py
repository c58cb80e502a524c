"""Printed and handwritten images of plain scripts, and their translation."""
