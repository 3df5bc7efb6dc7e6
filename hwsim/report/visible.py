"""Makes texts out of files safe to show: nothing in a name may steer the terminal it is printed on."""

from __future__ import annotations

import re

# C0 and C1 controls, line separators and the marks that reverse the direction of writing.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def visible(text: str, *, lines: bool = True) -> str:
    r"""Return `text` with control characters written as ``\u001b``, the form that JSON uses too.

    Parameters
    ----------
    text : str
        Anything, such as the name of a node.
    lines : bool
        Whether ends of lines and tabs stay as they are; False for what must fit into one line.
    """
    shown = _STEERING.sub(_written, text)
    return shown if lines else shown.replace("\n", "\\u000a").replace("\t", "\\u0009")


def _written(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
