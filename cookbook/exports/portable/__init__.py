"""Code that is copied beside an exported model, as use.py, and runs without us.

It imports NumPy, Pillow for pictures, and the package that runs the exported network.
`cookbook/exports/folder.py` writes what one model needs into one file.
"""
