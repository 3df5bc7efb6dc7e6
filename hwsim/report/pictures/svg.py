"""Small parts of hand-written SVG pictures: ticks, texts and frames, the same bytes for the same numbers."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape, quoteattr

STYLE = ("<style>svg{color:#1b1f24;color-scheme:light dark}"
         "text{font:11px system-ui,sans-serif;fill:currentColor}"
         ".head{font-weight:600;font-size:13px}"
         ".axis{stroke:currentColor;stroke-opacity:.35;fill:none}.rule{stroke:currentColor;stroke-opacity:.12}"
         "@media (prefers-color-scheme:dark){svg{color:#e4e7ec}}")


def number(value: float) -> str:
    """Write a coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def printable(name: str) -> str:
    """Replace what cannot be drawn by question marks."""
    return "".join(character if character.isprintable() else "?" for character in name)


def text(x: float, y: float, content: str, *, anchor: str = "start", extra: str = "") -> str:
    """Return a text element; `extra` holds further attributes."""
    return (f'<text x="{number(x)}" y="{number(y)}" text-anchor="{anchor}"{" " + extra if extra else ""}>'
            f"{escape(printable(content))}</text>")


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a line of a class of the style sheet."""
    return (f'<line class="{kind}" x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" '
            f'y2="{number(y2)}"/>')


def attribute(value: str) -> str:
    """Return a quoted attribute value."""
    return quoteattr(printable(value))


def frame(width: float, height: float, title: str, style: str, body: str) -> str:
    """Return a whole picture; `style` continues the common style sheet."""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" '
            f'width="{number(width)}" height="{number(height)}" role="img" aria-label={attribute(title)}>'
            f"{STYLE}{style}</style>{body}</svg>\n")


def nice_step(span: float, most: int, *, binary: bool = False) -> float:
    """Return the smallest round step that cuts `span` into at most `most` parts.

    Round is 1, 2 or 5 times a power of ten, or a power of two where `binary` is asked for.
    """
    wanted = max(span, 1e-12) / most
    if binary:
        return float(2 ** max(0, math.ceil(math.log2(wanted))))
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= wanted * (1 - 1e-9))


def ticks(low: float, high: float, most: int, *, binary: bool = False) -> list[float]:
    """Return round values from low to high, at most `most` + 1 of them."""
    step = nice_step(high - low, most, binary=binary)
    first = math.ceil(low / step - 1e-9)
    return [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]


def short(name: str, length: int) -> str:
    """Cut the middle out of a long name."""
    head = length // 3
    return name if len(name) <= length else f"{name[:head]}…{name[head + 1 - length:]}"
