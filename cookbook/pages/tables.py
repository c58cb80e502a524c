"""Tables of Markdown."""


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown."""
    rule = ["---"] * len(head)
    lines = []
    for row in [head, rule, *rows]:
        cells = [cell.replace("|", r"\|") for cell in row]
        joined = " | ".join(cells)
        lines.append(f"| {joined} |")

    return "\n".join(lines)
