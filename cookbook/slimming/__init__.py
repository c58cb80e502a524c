"""A script without what it never uses: its file is all there is, a closed world."""
