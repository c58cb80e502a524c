"""Parts of a recipe's page: pictures, code, networks, claims, what to try."""
