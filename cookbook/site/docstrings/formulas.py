"""Formulas as docstrings write them, such as `m = beta_1 * m`, turned into TeX."""

import dataclasses
import re
from collections.abc import Sequence

GREEK = {
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa"),
    *("lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi"),
    *("omega", "Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega"),
}
# Functions that TeX knows by name; others are written upright.
KNOWN = {
    *("arctan", "cos", "cosh", "det", "exp", "log", "max", "min", "sin", "sinh"),
    *("tan", "tanh", "sup", "inf"),
}
LARGE = {"sum": r"\sum", "prod": r"\prod"}  # where a subscript follows
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde"}
SUBSCRIPTS = {"tm1": "t-1", "tp1": "t+1", "star": "*"}
RELATIONS = {
    **{"=": "=", "<": "<", ">": ">", "<=": r"\le", ">=": r"\ge", "!=": r"\ne"},
    **{"==": "=", "~": r"\sim", "->": r"\to", "<-": r"\leftarrow"},
    "+=": r"\mathrel{+}=",
}
SIGNS = {
    **RELATIONS,
    **{"*": r"\cdot", "/": "/", "+": "+", "-": "-", ",": r",\;", ";": r";\quad"},
    **{
        ":": r"\colon\;",
        "|": "|",
        "||": r"\|",
        "...": r"\dots",
        ".": ".",
        "!": "!",
        "//": r"\mathbin{//}",
    },
}
BRACKETS = {"(": ")", "[": "]", "{": "}"}
TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)"
    r"|(?P<name>[A-Za-z](?:[A-Za-z0-9]|_(?=[A-Za-z0-9]))*)"
    r"|(?P<quote>\"[^\"]*\")"
    r"|(?P<below>_(?:[A-Za-z0-9]+|(?=[({])))"
    r"|(?P<sign><-|->|<=|>=|!=|==|\+=|//|\.\.\.|\|\||[-+*/^=<>(){}\[\],;:|'~.!])"
)
SMALL_WORDS = {"a", "an", "by", "if", "in", "is", "of", "on", "or", "to", "and", "for"}
# A line that a person would read as a formula: a short left side, and a relation.
START = re.compile(r"\s*(?P<left>\S.{0,44}?) (?:=|<-|->|~|:=|<=|>=) \S")
LABEL = re.compile(r"\w[\w ]{0,16}:\s{2,}\S")  # "training:  mean = ..."
PROSE = re.compile(r"[A-Z][a-z]+,? [a-z`]+")


class _Foreign(Exception):
    """Something that is no formula."""


@dataclasses.dataclass
class _Tokens:
    """Tokens (kind, text) of a line, read from the left."""

    items: list[tuple[str, str]]
    place: int = 0

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        """The token that comes next, or the one after it, and so on."""
        place = self.place + ahead
        return self.items[place] if place < len(self.items) else ("end", "")

    def take(self) -> tuple[str, str]:
        """The next token, which is then behind us."""
        token = self.peek()
        self.place += 1
        return token


def begins_formula(line: str) -> bool:
    """Whether a paragraph that begins with this line is a formula."""
    if "`" in line:
        return False
    found = START.match(line)
    if not found:
        return bool(LABEL.match(line))
    words = re.findall(
        r"\b[a-z]{3,}\b(?![_(\[])", re.sub(r"\(.*?\)", "", found["left"])
    )
    return len(words) <= 2 and not PROSE.match(line)


def goes_on_in_prose(line: str) -> bool:
    """Whether a later line of the paragraph is text again."""
    return bool(PROSE.match(line)) and not START.match(line)


def typeset(lines: Sequence[str]) -> str | None:
    """The lines as one aligned formula of TeX, or None if they are none."""
    try:
        rows = [_row(line) for line in lines]
    except _Foreign:
        return None
    inside = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{inside}\n\\end{{aligned}}"


def _row(line: str) -> str:
    """A line, aligned at its first relation; remarks stand behind wide spaces."""
    is_continued = line.startswith(" ")
    first, *remarks = re.split(r"\s{2,}", line.strip())
    row = _line(first, align=not is_continued)
    if is_continued:
        row = rf"&\quad {row}"
    for remark in remarks:
        row += rf"\qquad {_remark(remark)}"
    return row


def _remark(text: str) -> str:
    """A remark behind a formula: a condition such as `if x > 0`, or plain words."""
    if re.search(r"[=<>^*]", text):
        return _line(text, align=False)
    return rf"\text{{{_escaped(text)}}}"


def _line(text: str, align: bool) -> str:
    tokens = _Tokens(_split(text))
    pieces = _until(tokens, "")
    if not align:
        return " ".join(pieces)
    for place, piece in enumerate(pieces):
        if piece in RELATIONS.values():
            pieces[place] = f"&{piece}"
            return " ".join(pieces)
    return "& " + " ".join(pieces)


def _split(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    while place < len(text):
        token = TOKEN.match(text, place)
        if not token:
            raise _Foreign(text)
        found.append((str(token.lastgroup), token.group()))
        place = token.end()
    return found


def _until(tokens: _Tokens, closing: str) -> list[str]:
    """Pieces of TeX up to a closing bracket, which is taken too."""
    pieces: list[str] = []
    while True:
        kind, text = tokens.peek()
        if kind == "end" or text in BRACKETS.values():
            if text != closing:
                raise _Foreign(text)
            tokens.take()
            return pieces
        if kind == "space":
            tokens.take()
            if _is_product(pieces, tokens):
                pieces.append(r"\,")
        elif kind == "name" and _is_word(tokens):
            pieces.append(_words(tokens))
        else:
            pieces.append(_piece(tokens))


def _is_product(pieces: list[str], tokens: _Tokens) -> bool:
    """Whether a space stands between two symbols, as in `x W`."""
    ends_symbol = bool(pieces) and pieces[-1] not in SIGNS.values()
    return ends_symbol and tokens.peek()[0] in ("name", "number")


def _piece(tokens: _Tokens) -> str:
    """The next piece that is no space and no word."""
    kind, text = tokens.take()
    if kind == "number":
        return _number(text)
    if kind == "name":
        return _name(text, tokens)
    if kind == "below":
        return f"_{{{_inside(tokens) if text == '_' else _subscript(text[1:])}}}"
    if kind == "quote":
        return rf"\text{{“{_escaped(text[1:-1])}”}}"
    if text == "^":
        return f"^{{{_exponent(tokens)}}}"
    if text == "'":
        return "'"
    if text in BRACKETS:
        inside = " ".join(_until(tokens, BRACKETS[text]))
        opening, end = (rf"\{s}" if s in "{}" else s for s in (text, BRACKETS[text]))
        return f"{opening}{inside}{end}"
    return SIGNS[text]


def _inside(tokens: _Tokens) -> str:
    """What stands in the brackets that come next, without them."""
    _, opening = tokens.take()
    return " ".join(_until(tokens, BRACKETS[opening]))


def _exponent(tokens: _Tokens) -> str:
    kind, text = tokens.peek()
    if text in BRACKETS:
        return _inside(tokens)
    if text == "-":
        tokens.take()
        return f"-{_exponent(tokens)}"
    if kind not in ("name", "number"):
        raise _Foreign(text)
    piece = _piece(tokens)
    return piece if tokens.peek()[1] != "(" else f"{piece}{_piece(tokens)}"


def _number(text: str) -> str:
    mantissa, _, power = text.partition("e")
    if not power:
        return text
    return f"10^{{{power}}}" if mantissa == "1" else rf"{mantissa}\cdot 10^{{{power}}}"


def _is_word(tokens: _Tokens) -> bool:
    """Whether the next name is a word of English rather than a symbol."""
    _, text = tokens.peek()
    follows = tokens.peek(1)
    if text in SMALL_WORDS:
        behind = tokens.peek(2)
        is_article = behind[0] == "name" and len(behind[1]) > 1
        return follows[0] == "space" and (text != "a" or is_article)
    is_called = follows[1] in BRACKETS or follows[0] == "below"
    return not is_called and not _is_symbol(text) and "_" not in text


def _is_symbol(text: str) -> bool:
    """Whether a name is one letter, Greek, or known to TeX."""
    base, _, _ = text.partition("_")
    return (
        len(base) == 1
        or base in GREEK
        or base in KNOWN
        or (base in LARGE and "_" in text)
        or bool(re.fullmatch(r"[A-Za-z]\d+|[A-Zb][qkvog]", base))
    )


def _words(tokens: _Tokens) -> str:
    """Words that stand side by side, as text."""
    words = []
    while tokens.peek()[0] == "name" and (_is_word(tokens) or _is_between(tokens)):
        words.append(tokens.take()[1])
        if tokens.peek()[0] == "space":
            tokens.take()
    text = _escaped(" ".join(words))
    after = r"\ " if tokens.peek()[0] in ("name", "number") else ""
    return (
        rf"\text{{ {text} }}" if words[0] in SMALL_WORDS else rf"\text{{{text}}}{after}"
    )


def _is_between(tokens: _Tokens) -> bool:
    return tokens.peek()[1] in SMALL_WORDS


def _name(text: str, tokens: _Tokens) -> str:
    base, _, below = text.partition("_")
    if text == "sqrt" and tokens.peek()[1] == "(":
        return rf"\sqrt{{{_inside(tokens)}}}"
    if base in LARGE and below:
        return f"{LARGE[base]}_{{{_subscript(below)}}}"
    if not _is_symbol(text):
        is_called = tokens.peek()[1] in BRACKETS or base.startswith("arg")
        command = r"\operatorname" if is_called else r"\mathrm"
        return rf"{command}{{{_escaped(text)}}}"
    if re.fullmatch(r"[A-Za-z]\d+|[A-Zb][qkvog]", base):
        base, below = base[0], base[1:] + (f"_{below}" if below else "")
    symbol = rf"\{base}" if base in GREEK | KNOWN else base
    accent, _, rest = below.partition("_")
    if accent in ACCENTS:
        symbol, below = f"{ACCENTS[accent]}{{{symbol}}}", rest
    return f"{symbol}_{{{_subscript(below)}}}" if below else symbol


def _subscript(text: str) -> str:
    parts = []
    for part in text.split("_"):
        if part in GREEK:
            parts.append(rf"\{part}")
        elif part in SUBSCRIPTS or len(part) <= 2:
            parts.append(SUBSCRIPTS.get(part, part))
        else:
            parts.append(rf"\mathrm{{{part}}}")
    return ",".join(parts)


def _escaped(text: str) -> str:
    """Text within TeX."""
    return re.sub(r"([_%&#{}$])", r"\\\1", text)
