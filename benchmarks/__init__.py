"""Speed of our components and recipes against the well-known ones."""
