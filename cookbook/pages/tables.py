"""Tables of Markdown."""


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown."""
    rule = ["---"] * len(head)
    lines = [_line(head), _line(rule)]
    for row in rows:
        line = _line(row)
        lines.append(line)

    return "\n".join(lines)


def _line(row: list[str]) -> str:
    """A row of the table; a bar inside a cell does not end the cell."""
    cells = []
    for cell in row:
        escaped = cell.replace("|", r"\|")
        cells.append(escaped)

    joined = " | ".join(cells)
    return f"| {joined} |"
