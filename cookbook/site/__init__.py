"""The site: pages for learners, made from docstrings, recipes, results and pictures."""
