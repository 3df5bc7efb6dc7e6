"""Diagrams that pages of chips draw with box characters, as SVG: text in a terminal, pictures on the site."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 7.8, 17.0
"""Of a character, in pixels."""

_LEFT, _RIGHT, _UP, _DOWN = (-1, 0), (1, 0), (0, -1), (0, 1)
_STROKES = {
    "─": (_LEFT, _RIGHT), "│": (_UP, _DOWN), "┌": (_RIGHT, _DOWN), "┐": (_LEFT, _DOWN),
    "└": (_RIGHT, _UP), "┘": (_LEFT, _UP), "├": (_UP, _DOWN, _RIGHT), "┤": (_UP, _DOWN, _LEFT),
    "┬": (_LEFT, _RIGHT, _DOWN), "┴": (_LEFT, _RIGHT, _UP), "┼": (_LEFT, _RIGHT, _UP, _DOWN),
}
_TIPS = {"►": _RIGHT, "◄": _LEFT, "▲": _UP, "▼": _DOWN}
_DRAWN = "".join([*_STROKES, *_TIPS])
_BLOCK = re.compile(r"^```(?:text)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Words one blank apart belong together; two blanks, or a stroke, separate them.
_WORDS = re.compile(rf"[^\s{_DRAWN}]+(?: [^\s{_DRAWN}]+)*")

Stroke = tuple[float, float, float, float]


def sketched(markdown: str, name: str) -> str:
    """Return the text with its blocks of box characters as pictures.

    Parameters
    ----------
    markdown : str
        A page.
    name : str
        What the pictures are of, for readers who do not see them.
    """

    def drawn(found: re.Match[str]) -> str:
        if not set(found[1]) & _TIPS.keys():
            return found[0]
        label = escape(name, {'"': "&quot;"})
        return f'<figure class="diagram" role="img" aria-label="Diagram of {label}">{svg(found[1])}</figure>'

    return _BLOCK.sub(drawn, markdown)


def svg(text: str) -> str:
    """Return lines of text and box characters as a picture in the colour of the text around it."""
    lines = text.rstrip().splitlines()
    start = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    rows = [line[start:] for line in lines]
    width, height = WIDTH * max(map(len, rows)), HEIGHT * len(rows)
    path = "".join(f"M{x1:g} {y1:g}L{x2:g} {y2:g}" for x1, y1, x2, y2 in joined(_strokes(rows)))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {width + 8:g} {height + 8:g}" '
            f'style="max-width: {width + 8:g}px" font-family="ui-monospace, Menlo, Consolas, monospace" '
            f'font-size="12.5" fill="currentColor"><path d="{path}" fill="none" stroke="currentColor" '
            f'stroke-opacity="0.6" stroke-width="1.2" stroke-linecap="square"/>'
            f"{''.join(_tips(rows))}{''.join(_texts(rows))}</svg>")


def _cells(rows: list[str], kinds: Iterable[str]) -> Iterator[tuple[str, float, float]]:
    """Yield the characters of some kinds with their centres."""
    wanted = set(kinds)
    for row, line in enumerate(rows):
        for column, character in enumerate(line):
            if character in wanted:
                yield character, round((column + 0.5) * WIDTH, 2), (row + 0.5) * HEIGHT


def _strokes(rows: list[str]) -> Iterator[Stroke]:
    """Yield half a cell of line for every end of every character; arrow heads come from where they do."""
    for character, x, y in _cells(rows, _DRAWN):
        ends = _STROKES.get(character) or (tuple(-part for part in _TIPS[character]),)
        for right, down in ends:
            far_x, far_y = round(x + right * WIDTH / 2, 2), y + down * HEIGHT / 2
            yield min(x, far_x), min(y, far_y), max(x, far_x), max(y, far_y)


def joined(strokes: Iterable[Stroke]) -> list[Stroke]:
    """Return strokes that continue one another as one."""
    found: list[Stroke] = []
    for x1, y1, x2, y2 in sorted(set(strokes), key=_line_of):
        if found:
            a1, b1, a2, b2 = found[-1]
            if (a2, b2) == (x1, y1) and (a1 == x2 or b1 == y2):
                found[-1] = (a1, b1, x2, y2)
                continue
        found.append((x1, y1, x2, y2))
    return found


def _line_of(stroke: Stroke) -> tuple[bool, float, Stroke]:
    """Return what strokes of one line have in common, and then their order on it."""
    upright = stroke[0] == stroke[2]
    return upright, stroke[0] if upright else stroke[1], stroke


def _tips(rows: list[str]) -> Iterator[str]:
    for character, x, y in _cells(rows, _TIPS):
        right, down = _TIPS[character]
        tip_x, tip_y = x + right * WIDTH / 2, y + down * HEIGHT / 2
        back_x, back_y = tip_x - right * 7, tip_y - down * 7
        corners = ((tip_x, tip_y), (back_x - down * 3.5, back_y + right * 3.5),
                   (back_x + down * 3.5, back_y - right * 3.5))
        yield f'<polygon points="{" ".join(f"{a:g},{b:g}" for a, b in corners)}"/>'


def _texts(rows: list[str]) -> Iterator[str]:
    for row, line in enumerate(rows):
        for found in _WORDS.finditer(line):
            x, y, length = found.start() * WIDTH, (row + 0.5) * HEIGHT + 4.5, len(found[0]) * WIDTH
            yield (f'<text x="{x:g}" y="{y:g}" textLength="{length:g}" lengthAdjust="spacingAndGlyphs">'
                   f"{escape(found[0])}</text>")
