"""Tables of Markdown."""


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    cells = (" | ".join(cell.replace("|", r"\|") for cell in row) for row in lines)
    return "\n".join(f"| {line} |" for line in cells)
