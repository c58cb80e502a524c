"""Command line: a recipe's Config dataclass becomes its flags, mistakes one line."""

import contextlib
import io
import re
import sys

import tyro

from cookbook.errors import fail


def parse(config_class, args=None):
    """A Config from the command line (or from `args`); exits with 2 on a mistake."""
    description = sys.modules[config_class.__module__].__doc__
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            config = tyro.cli(
                config_class,
                args=args,
                description=description,
                config=(tyro.conf.FlagCreatePairsOff,),
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        fail(_one_line(errors.getvalue()))
    return config


def _one_line(panel):
    """The message of tyro's panel: the text between its title and its first rule."""
    message = []
    for line in panel.splitlines()[1:]:
        text = re.sub(r"[│╭╮╰╯]", "", line).strip()
        if text.startswith("─"):
            break
        message.append(text)
    text = re.sub(r"^Error parsing \w+: ", "", " ".join(message))
    return f"{text.rstrip('.')}; see --help for all flags and their values"
