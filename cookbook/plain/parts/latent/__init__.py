"""What plain scripts do with vectors that stand for images."""
