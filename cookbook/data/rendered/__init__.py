"""Images that are drawn rather than read: printed characters."""
