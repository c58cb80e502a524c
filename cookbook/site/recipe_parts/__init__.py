"""Parts of a recipe's page: its code, its networks, its claims, what to try."""
